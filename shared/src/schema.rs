//! The schemas of texts that are more than a text: what `serde_with` reads and writes, no derive can know.
//!
//! Each stands beside the type, with the very lengths and forms that parse it; here is how it is written.

/// The schema of a type that is read from a text and written as one: its name, what it is, and what its text must be.
macro_rules! of_text {
    ($name:ident, $doc:expr, { $($rule:tt)* }) => {
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "description": $doc.trim(), "type": "string", $($rule)* })
            }
        }
    };
}

pub(crate) use of_text;
