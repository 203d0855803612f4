//! Small pictures of files: how large they are, and of which files there are any.

use serde::{Deserialize, Serialize};

use super::{FileId, FileScan, FileState, JobFile, MediaType, ShareFile, ShareId};
use crate::clock::Timestamp;

/// The largest file that is drawn, in bytes: it is held in memory whole.
pub const LARGEST_DRAWN: u64 = 100 * 1024 * 1024;

/// What can be drawn, by what the bytes are.
const DRAWN: [&str; 7] =
    ["image/jpeg", "image/png", "image/gif", "image/webp", "image/bmp", "image/tiff", "application/pdf"];

/// How large a thumbnail is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ThumbnailSize {
    /// For a line or a tile: 320 pixels.
    Small,
    /// For a screen: 1,280 pixels.
    Large,
}

impl ThumbnailSize {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Small, Self::Large];

    /// The longer side of such a picture at most, in pixels.
    #[must_use]
    pub fn longer_side(self) -> u32 {
        match self {
            Self::Small => 320,
            Self::Large => 1_280,
        }
    }

    /// As the API and keys name it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Large => "large",
        }
    }
}

/// Width and height in pixels, upright.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PixelSize {
    /// From left to right.
    pub width: u32,
    /// From top to bottom.
    pub height: u32,
}

impl PixelSize {
    /// The same picture as a thumbnail: in the same shape, never larger than it is, and never without a pixel.
    #[must_use]
    pub fn scaled_to(self, size: ThumbnailSize) -> Self {
        let (longer, side) = (self.width.max(self.height).max(1), size.longer_side());
        let scaled = |length: u32| {
            let length = (u64::from(length) * u64::from(side) + u64::from(longer) / 2) / u64::from(longer);
            u32::try_from(length).unwrap_or(side).max(1)
        };
        if longer <= side { self } else { Self { width: scaled(self.width), height: scaled(self.height) } }
    }
}

/// Whether a file can be drawn, by its bytes.
fn is_drawable(upload: FileState, detected: Option<&MediaType>, size: u64) -> bool {
    let is = detected.is_some_and(|detected| DRAWN.contains(&detected.as_str()));
    is && upload == FileState::Stored && (1..=LARGEST_DRAWN).contains(&size)
}

/// Whether it is tried to draw a file: nothing is decoded that waits for its scan.
fn is_drawn(upload: FileState, detected: Option<&MediaType>, size: u64, scan: &FileScan) -> bool {
    is_drawable(upload, detected, size) && scan.hand_out().is_ok()
}

impl ShareFile {
    /// Whether it can be drawn, by its bytes: whether it is, its scan decides.
    #[must_use]
    pub fn is_drawable(&self) -> bool {
        is_drawable(self.upload, self.detected.as_ref(), self.size)
    }

    /// Whether it is tried to draw it.
    #[must_use]
    pub fn is_drawn(&self) -> bool {
        is_drawn(self.upload, self.detected.as_ref(), self.size, &self.scan)
    }
}

impl JobFile {
    /// Whether it is tried to draw it.
    #[must_use]
    pub fn is_drawn(&self) -> bool {
        is_drawn(self.upload, self.detected.as_ref(), self.size, &self.scan)
    }
}

/// A file whose thumbnails are to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThumbnailTask {
    /// The share that it belongs to; none, if it is a job's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share_id: Option<ShareId>,
    /// Which file.
    pub file_id: FileId,
    /// Since when.
    pub since: Timestamp,
    /// How often it was tried.
    #[serde(default)]
    pub tries: u32,
}

impl ThumbnailTask {
    /// A share's file is to be drawn.
    #[must_use]
    pub fn of(file: &ShareFile, now: Timestamp) -> Self {
        Self { share_id: Some(file.share_id), file_id: file.id, since: now, tries: 0 }
    }

    /// A job's file is to be drawn.
    #[must_use]
    pub fn of_job_file(file: &JobFile, now: Timestamp) -> Self {
        Self { share_id: None, file_id: file.id, since: now, tries: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_thumbnail_has_the_shape_of_its_picture_and_is_no_larger(width in 1_u32.., height in 1_u32..) {
            let picture = PixelSize { width, height };
            for size in ThumbnailSize::ALL {
                let small = picture.scaled_to(size);
                prop_assert!(small.width >= 1 && small.height >= 1);
                prop_assert!(small.width <= width.min(size.longer_side()) && small.height <= height.min(size.longer_side()));
                // Each side is the nearest whole pixel.
                let scale = (f64::from(size.longer_side()) / f64::from(width.max(height))).min(1.0);
                for (is, was) in [(small.width, width), (small.height, height)] {
                    let off = (f64::from(is) - f64::from(was) * scale).abs();
                    prop_assert!(off < 0.501 || is == 1, "{picture:?} {small:?}");
                }
            }
        }
    }

    #[test]
    fn the_longer_side_of_what_is_larger_is_exact() {
        let size = |width, height| PixelSize { width, height };
        assert_eq!(size(4_000, 3_000).scaled_to(ThumbnailSize::Small), size(320, 240));
        assert_eq!(size(3_000, 4_000).scaled_to(ThumbnailSize::Large), size(960, 1_280));
        assert_eq!(size(60_000, 1).scaled_to(ThumbnailSize::Small), size(320, 1));
        assert_eq!(size(12, 7).scaled_to(ThumbnailSize::Large), size(12, 7));
    }
}
