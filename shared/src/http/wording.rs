//! What is wrong with a field, in the words of JSON: serde speaks of the types that a program is written in.

use super::problem::Problem;

/// A problem with the field at that path, from serde's text. What a type of our own says passes as it is.
pub(super) fn field_problem(path: &str, text: &str) -> Problem {
    // serde_json says where in the body; the path says it better.
    let text = text.rsplit_once(" at line ").map_or(text, |(text, _)| text);
    let path = if matches!(path, "" | ".") { "" } else { path };
    for (begins, says) in [
        ("missing field `", "is needed"),
        ("unknown field `", "is not known here"),
        ("duplicate field `", "is given more than once"),
    ] {
        if let Some(name) = text.strip_prefix(begins).and_then(|rest| rest.split('`').next()) {
            let parent = path.strip_suffix(name).unwrap_or(path).trim_end_matches('.');
            let field = if parent.is_empty() { name.to_owned() } else { format!("{parent}.{name}") };
            return Problem::invalid_field(field, says);
        }
    }
    Problem::invalid_field(if path.is_empty() { "body" } else { path }, words(text))
}

fn words(text: &str) -> String {
    let wrong =
        ["invalid type: ", "invalid value: ", "invalid length "].iter().find_map(|begin| text.strip_prefix(begin));
    // What was sent may hold any text, so what was expected is looked for from the end.
    if let Some((got, expected)) = wrong.and_then(|rest| rest.rsplit_once(", expected ")) {
        let (must, is) = (expectation(expected), given(got));
        return is.map_or_else(|| format!("must be {must}"), |is| format!("must be {must}, but is {is}"));
    }
    // serde lists the variants as `a`, `b`; for two it says "`a` or `b`", for more "one of `a`, `b`, `c`".
    if let Some((_, variants)) = text.strip_prefix("unknown variant ").and_then(|rest| rest.rsplit_once(", expected "))
    {
        let names: Vec<&str> = variants.split('`').skip(1).step_by(2).collect();
        return match names.as_slice() {
            [one] => format!("must be \"{one}\""),
            names => format!(
                "must be one of {}",
                names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
            ),
        };
    }
    match text {
        // serde_json's word for what stands where one of several words is expected and is none.
        "expected value" => "must be a string".to_owned(),
        "number out of range" => "is out of range".to_owned(),
        "invalid digit found in string" | "cannot parse integer from empty string" => {
            "must be a whole number".to_owned()
        }
        text if text.starts_with("provided string was not `true` or `false`") => "must be true or false".to_owned(),
        text if text.starts_with("data did not match any variant") => "must have another form".to_owned(),
        text => text.to_owned(),
    }
}

/// A type, as serde's visitors name it.
fn expectation(expected: &str) -> String {
    match expected {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "u128" | "usize" => "a whole number, 0 or more",
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "a boolean, true or false",
        "a string" | "a borrowed string" | "a character" | "variant identifier" => "a string",
        "a sequence" => "an array",
        "a map" => "an object",
        "unit" | "null" => "null",
        _ if expected.starts_with("struct ") => "an object",
        _ if expected.starts_with("enum ") || expected.starts_with("string or map") => "a string",
        _ if expected.starts_with("a tuple") || expected.starts_with("an array") || expected.starts_with("tuple ") => {
            "an array"
        }
        _ => return expected.to_owned(),
    }
    .to_owned()
}

/// What was sent, as serde's `Unexpected` names it; a text is not repeated: it may be long.
fn given(got: &str) -> Option<String> {
    let name = got.split([' ', ',']).next().unwrap_or_default();
    Some(match name {
        "string" | "character" => "a string".to_owned(),
        "integer" | "floating" => format!("the number {}", got.split('`').nth(1)?),
        "boolean" => got.split('`').nth(1)?.to_owned(),
        "null" | "unit" => "null".to_owned(),
        "sequence" => "an array".to_owned(),
        "map" | "Option" => "an object".to_owned(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        First,
        Second,
        Third,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read into")]
    struct Body {
        size: Option<u64>,
        days: Option<u32>,
        flag: Option<bool>,
        name: Option<String>,
        names: Option<Vec<String>>,
        kind: Option<Kind>,
        inner: Option<Box<Body>>,
        pair: Option<(u8, u8)>,
    }

    fn said(json: &str) -> String {
        let mut json = serde_json::Deserializer::from_str(json);
        let error = serde_path_to_error::deserialize::<_, Body>(&mut json).unwrap_err();
        let problem = field_problem(&error.path().to_string(), &error.inner().to_string());
        let response = problem.into_response("");
        let body: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
        format!("{} {}", body["errors"][0]["field"].as_str().unwrap(), body["errors"][0]["problem"].as_str().unwrap())
    }

    #[test]
    fn what_is_wrong_is_said_in_the_apis_own_words() {
        for (json, words) in [
            (r#"{"size": "7, expected u64"}"#, "size must be a whole number, 0 or more, but is a string"),
            (r#"{"size": -1}"#, "size must be a whole number, 0 or more, but is the number -1"),
            (r#"{"size": 1.5}"#, "size must be a whole number, 0 or more, but is the number 1.5"),
            (
                r#"{"days": 5000000000}"#,
                "days must be a whole number from 0 to 4294967295, but is the number 5000000000",
            ),
            (r#"{"flag": "yes"}"#, "flag must be a boolean, true or false, but is a string"),
            (r#"{"name": 7}"#, "name must be a string, but is the number 7"),
            (r#"{"name": {}}"#, "name must be a string, but is an object"),
            (r#"{"names": "a"}"#, "names must be an array, but is a string"),
            (r#"{"names": ["a", null]}"#, "names[1] must be a string, but is null"),
            (r#"{"kind": "fourth"}"#, "kind must be one of \"first\", \"second\", \"third\""),
            (r#"{"inner": 7}"#, "inner must be an object, but is the number 7"),
            (r#"{"inner": {"sise": 7}}"#, "inner.sise is not known here"),
            (r#"{"size": 1, "size": 2}"#, "size is given more than once"),
            (r#"{"pair": [1]}"#, "pair must be an array"),
        ] {
            assert_eq!(said(json), words, "{json}");
        }
    }
}
