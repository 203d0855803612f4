//! The small pictures of files: made once, never changed, and gone with their file.

use aws_sdk_s3::primitives::ByteStream;

use super::{BucketFile, Download, Files, FilesError, NotHandedOut, ObjectKey, says};
use crate::domain::{LARGEST_DRAWN, ThumbnailSize};

impl Files {
    /// A GET that a browser shows as a picture, and keeps as long as the URL is good.
    pub async fn thumbnail(&self, file: &impl BucketFile, size: ThumbnailSize) -> Result<Download, NotHandedOut> {
        file.scan().hand_out()?;
        Ok(self.presign(file.key().thumbnail(size), "inline".to_owned(), "image/jpeg", "private, max-age=300").await?)
    }

    /// The bytes of a file that is to be drawn; nothing, if they are gone.
    pub async fn bytes(&self, file: &impl BucketFile) -> Result<Option<Vec<u8>>, FilesError> {
        let get = self.client.get_object().bucket(&self.bucket).key(file.key());
        let got = match get.range(format!("bytes=0-{}", LARGEST_DRAWN - 1)).send().await {
            Err(error) if says(&error, &["NoSuchKey"]) => return Ok(None),
            got => got.map_err(FilesError::call("GetObject"))?,
        };
        let broken = |error: aws_sdk_s3::primitives::ByteStreamError| error.to_string();
        let bytes = got.body.collect().await.map_err(broken);
        Ok(Some(bytes.map_err(|cause| FilesError { operation: "GetObject", cause })?.to_vec()))
    }

    /// Puts a thumbnail where it belongs. One that is there already is the same.
    pub async fn put_thumbnail(&self, of: ObjectKey, size: ThumbnailSize, jpeg: Vec<u8>) -> Result<(), FilesError> {
        let put = self.client.put_object().bucket(&self.bucket).key(of.thumbnail(size)).content_type("image/jpeg");
        match put.if_none_match("*").body(ByteStream::from(jpeg)).send().await {
            Err(error) if says(&error, &["PreconditionFailed", "ConditionalRequestConflict"]) => Ok(()),
            put => put.map(drop).map_err(FilesError::call("PutObject")),
        }
    }

    /// Deletes the thumbnails of a file that is none any more.
    pub async fn delete_thumbnails(&self, of: ObjectKey) -> Result<(), FilesError> {
        for size in ThumbnailSize::ALL {
            self.delete_at(of.thumbnail(size)).await?;
        }
        Ok(())
    }
}
