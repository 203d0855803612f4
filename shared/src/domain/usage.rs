//! How many bytes of a company's people there may be, and how many there are.

use serde::{Deserialize, Serialize};

use super::{CompanyId, JobFile, ShareFile};

const MB: u64 = 1_000_000;

/// The limits that an admin may set, in bytes, each with what it is as long as nobody has.
macro_rules! byte_limit {
    ($(#[$doc:meta])* $name:ident, $default:expr, $least:expr, $most:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(try_from = "u64", into = "u64")]
        pub struct $name(u64);

        impl Default for $name {
            fn default() -> Self {
                Self($default)
            }
        }

        impl TryFrom<u64> for $name {
            type Error = String;

            fn try_from(bytes: u64) -> Result<Self, String> {
                let known = ($least..=$most).contains(&bytes);
                if known { Ok(Self(bytes)) } else { Err(format!("must be from {} to {} bytes", $least, $most)) }
            }
        }

        impl From<$name> for u64 {
            fn from(limit: $name) -> Self {
                limit.0
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "description": "A size in bytes.", "type": "integer", "minimum": $least, "maximum": $most })
            }
        }
    };
}

byte_limit!(
    /// The largest file that a customer puts into a share: a megabyte to 5 TiB, by default 10 GB.
    CustomerFileBytes,
    10_000 * MB,
    MB,
    5_u64 * 1024 * 1024 * 1024 * 1024
);
byte_limit!(
    /// What a company's people may have in the portal, awaited and stored: a megabyte to 1 PB, by default 200 GB.
    CompanyBytes,
    200_000 * MB,
    MB,
    1_000_000_000 * MB
);

/// A file that no customer may put there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be at most {most} bytes")]
pub struct TooLarge {
    /// Where its size stands in the request.
    pub field: String,
    /// The largest, in bytes.
    pub most: u64,
}

/// A company has no room for what was announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("would be more than the {most} bytes that your company's files may have in all")]
pub struct OverQuota {
    /// Where it stands in the request.
    pub field: &'static str,
    /// The limit, in bytes.
    pub most: u64,
}

/// Bytes that somebody of a company announces, and the limit that they are counted against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Whose.
    pub company: CompanyId,
    /// How many come to what there is.
    pub bytes: u64,
    /// How many there may be then.
    pub most: CompanyBytes,
    /// Where they stand in the request.
    pub field: &'static str,
}

impl CustomerFileBytes {
    /// Whether a customer may announce so many bytes; `field` is where they stand in the request.
    pub fn hold(self, bytes: u64, field: impl Into<String>) -> Result<(), TooLarge> {
        if bytes > self.0 { Err(TooLarge { field: field.into(), most: self.0 }) } else { Ok(()) }
    }
}

impl Quota {
    /// So many bytes there may be before, at most; an error, where these alone are too many.
    pub fn room(&self) -> Result<u64, OverQuota> {
        u64::from(self.most).checked_sub(self.bytes).ok_or(self.exceeded())
    }

    /// That it would be more than the limit.
    #[must_use]
    pub fn exceeded(&self) -> OverQuota {
        OverQuota { field: self.field, most: self.most.into() }
    }
}

/// What a company's people have in the portal. It may be below nothing for a moment, while two companies become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Of what is awaited and what is stored.
    pub held_bytes: i64,
}

impl ShareFile {
    /// Whose bytes it counts to, and how many.
    #[must_use]
    pub fn counted(&self) -> (Option<CompanyId>, u64) {
        (self.of, self.size)
    }
}

impl JobFile {
    /// Whose bytes it counts to, and how many.
    #[must_use]
    pub fn counted(&self) -> (Option<CompanyId>, u64) {
        (self.of, self.size)
    }
}
