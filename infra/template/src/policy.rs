//! What a function may do: its statements in template.yaml, evaluated as IAM evaluates them ("Policy evaluation logic",
//! "IAM JSON policy elements: Condition operators"), as far as the template goes; what goes further cannot be read.
//!
//! Names of the template stand for what deployment puts in their place: `Table.Arn/index/listed` is a resource.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// One call, as IAM sees it.
#[derive(Debug, Clone, Default)]
pub struct AccessRequest {
    /// `dynamodb:GetItem`
    pub action: String,
    /// `Table.Arn`
    pub resource: String,
    /// The condition keys of the request, with their values: `dynamodb:LeadingKeys`.
    pub context: BTreeMap<&'static str, Vec<String>>,
}

/// What a statement grants by one of its words: an action, a resource, or a value of a condition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant {
    /// The statement.
    pub sid: String,
    /// `dynamodb:GetItem`, `Table.Arn`, `con_*`
    pub word: String,
}

/// The statements of one function.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    statements: Vec<Statement>,
}

#[derive(Debug, Clone)]
struct Statement {
    sid: String,
    denies: bool,
    actions: Vec<String>,
    resources: Vec<String>,
    conditions: Vec<Condition>,
}

#[derive(Debug, Clone)]
struct Condition {
    operator: Operator,
    key: String,
    values: Vec<String>,
}

#[derive(Debug, Clone, Copy)]
enum Operator {
    /// Whether the key must be missing is the condition's value.
    Null,
    Compare {
        set: Set,
        like: bool,
    },
}

#[derive(Debug, Clone, Copy)]
enum Set {
    /// The key has one value.
    One,
    ForAll,
    ForAny,
}

/// Whether a pattern covers a text: `*` stands for any number of characters, `?` for one.
#[must_use]
pub fn covers(pattern: &str, text: &str) -> bool {
    let (mut pattern_rest, mut text_rest) = (pattern.chars(), text.chars());
    match pattern_rest.next() {
        None => text.is_empty(),
        Some('*') => {
            let rest = pattern_rest.as_str();
            text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| covers(rest, &text[at..]))
        }
        Some(letter) => {
            text_rest.next().is_some_and(|other| letter == '?' || letter == other)
                && covers(pattern_rest.as_str(), text_rest.as_str())
        }
    }
}

/// A text or a list of them, with `${Table.Arn}` as `Table.Arn`.
fn texts(value: &Value) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::String(text) => text.replace("${", "").replace('}', ""),
        other => other.to_string(),
    };
    match value {
        Value::Null => Vec::new(),
        Value::Array(values) => values.iter().map(text).collect(),
        value => vec![text(value)],
    }
}

impl Policy {
    /// Reads the `Policies` of a function.
    pub(crate) fn read(policies: &Value) -> Result<Self, String> {
        let statements = policies.as_array().into_iter().flatten().map(|policy| match &policy["Statement"] {
            Value::Array(statements) => Ok(statements.clone()),
            other => Err(format!("a policy without a list of statements: {other}")),
        });
        let statements = statements.collect::<Result<Vec<_>, _>>()?;
        Ok(Self { statements: statements.iter().flatten().map(Statement::read).collect::<Result<_, _>>()? })
    }

    /// The words of the statements that allow it, or nothing, if it is not allowed. Of two that would do, the first
    /// counts: the other is of no use.
    #[must_use]
    pub fn allows(&self, request: &AccessRequest) -> Option<Vec<Grant>> {
        let denied = self.statements.iter().any(|statement| statement.denies && statement.matches(request).is_some());
        if denied {
            return None;
        }
        self.statements.iter().filter(|statement| !statement.denies).find_map(|statement| statement.matches(request))
    }

    /// Every word of every statement that allows something.
    #[must_use]
    pub fn grants(&self) -> BTreeSet<Grant> {
        let allowing = self.statements.iter().filter(|statement| !statement.denies);
        let words = allowing.flat_map(|statement| {
            let compared =
                statement.conditions.iter().filter(|condition| !matches!(condition.operator, Operator::Null));
            let values = compared.flat_map(|condition| &condition.values);
            statement.actions.iter().chain(&statement.resources).chain(values).map(|word| statement.grant(word))
        });
        words.collect()
    }
}

impl Statement {
    fn read(statement: &Value) -> Result<Self, String> {
        let sid =
            statement["Sid"].as_str().ok_or_else(|| format!("a statement without a Sid: {statement}"))?.to_owned();
        let unknown: Vec<_> = statement.as_object().into_iter().flat_map(serde_json::Map::keys).collect();
        let known = ["Sid", "Effect", "Action", "Resource", "Condition"];
        if let Some(unknown) = unknown.iter().find(|name| !known.contains(&name.as_str())) {
            return Err(format!("{sid}: {unknown} is not evaluated here"));
        }
        let denies = match statement["Effect"].as_str() {
            Some("Allow") => false,
            Some("Deny") => true,
            _ => return Err(format!("{sid}: the effect is neither Allow nor Deny")),
        };
        let operators = statement["Condition"].as_object().into_iter().flatten();
        let conditions = operators.flat_map(|(operator, keys)| {
            let operator = Operator::read(operator).ok_or_else(|| format!("{sid}: {operator} is not evaluated here"));
            keys.as_object().into_iter().flatten().map(move |(key, values)| {
                Ok(Condition { operator: operator.clone()?, key: key.clone(), values: texts(values) })
            })
        });
        let conditions = conditions.collect::<Result<_, String>>()?;
        let (actions, resources) = (texts(&statement["Action"]), texts(&statement["Resource"]));
        Ok(Self { sid, denies, actions, resources, conditions })
    }

    fn grant(&self, word: &str) -> Grant {
        Grant { sid: self.sid.clone(), word: word.to_owned() }
    }

    /// The words that cover a request, if all of it is covered.
    fn matches(&self, request: &AccessRequest) -> Option<Vec<Grant>> {
        // Actions are the same in any case.
        let action = request.action.to_ascii_lowercase();
        let action = self.actions.iter().find(|pattern| covers(&pattern.to_ascii_lowercase(), &action))?;
        let resource = self.resources.iter().find(|pattern| covers(pattern, &request.resource))?;
        let mut words = vec![action, resource];
        for condition in &self.conditions {
            words.extend(condition.holds(request.context.get(condition.key.as_str()))?);
        }
        Some(words.into_iter().map(|word| self.grant(word)).collect())
    }
}

impl Operator {
    fn read(name: &str) -> Option<Self> {
        let (set, comparison) = match name.split_once(':') {
            None => (Set::One, name),
            Some(("ForAllValues", comparison)) => (Set::ForAll, comparison),
            Some(("ForAnyValue", comparison)) => (Set::ForAny, comparison),
            Some(_) => return None,
        };
        match (set, comparison) {
            (Set::One, "Null") => Some(Self::Null),
            (_, "StringEquals") => Some(Self::Compare { set, like: false }),
            (_, "StringLike") => Some(Self::Compare { set, like: true }),
            _ => None,
        }
    }
}

impl Condition {
    /// The values of the condition that cover those of the request, if it holds.
    fn holds(&self, values: Option<&Vec<String>>) -> Option<Vec<&String>> {
        let (set, like) = match self.operator {
            Operator::Null => {
                let must_be_missing = self.values.iter().any(|value| value == "true");
                return (must_be_missing == values.is_none()).then(Vec::new);
            }
            Operator::Compare { set, like } => (set, like),
        };
        let covering = |value: &String| {
            self.values.iter().find(|pattern| if like { covers(pattern, value) } else { *pattern == value })
        };
        let values = values.map(Vec::as_slice).unwrap_or_default();
        match set {
            // Of no values, all are covered: that is why a statement asks for `Null`, too.
            Set::ForAll => values.iter().map(covering).collect(),
            Set::ForAny => values.iter().find_map(covering).map(|covering| vec![covering]),
            Set::One => match values {
                [value] => covering(value).map(|covering| vec![covering]),
                _ => None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const LEADING: &str = "dynamodb:LeadingKeys";

    fn policy(condition: Value) -> Policy {
        let read = json!({
            "Sid": "Read", "Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:Query"],
            "Resource": ["Table.Arn", "${Table.Arn}/index/by_*"], "Condition": condition,
        });
        Policy::read(&json!([{ "Statement": [read] }])).unwrap()
    }

    fn request(action: &str, resource: &str, keys: &[&str]) -> AccessRequest {
        let keys: Vec<String> = keys.iter().map(|&key| key.to_owned()).collect();
        let context = if keys.is_empty() { BTreeMap::new() } else { BTreeMap::from([(LEADING, keys)]) };
        AccessRequest { action: action.to_owned(), resource: resource.to_owned(), context }
    }

    fn words(policy: &Policy, request: &AccessRequest) -> Option<Vec<String>> {
        Some(policy.allows(request)?.into_iter().map(|grant| grant.word).collect())
    }

    #[test]
    fn a_call_is_allowed_by_one_statement_whole_or_not_at_all() {
        let policy = policy(json!({ "ForAllValues:StringLike": { LEADING: ["con_*", "WORDS#CONTACTS"] } }));
        let get = |keys: &[&str]| words(&policy, &request("dynamodb:GetItem", "Table.Arn", keys));
        assert_eq!(get(&["con_1"]).unwrap(), ["dynamodb:GetItem", "Table.Arn", "con_*"]);
        assert_eq!(get(&["con_1", "WORDS#CONTACTS"]).unwrap()[2..], ["con_*", "WORDS#CONTACTS"]);
        assert_eq!(get(&["con_1", "com_1"]), None);
        assert_eq!(get(&["WORDS#COMPANIES"]), None);
        assert_eq!(words(&policy, &request("dynamodb:PutItem", "Table.Arn", &["con_1"])), None);
        assert!(words(&policy, &request("dynamodb:Query", "Table.Arn/index/by_time", &["con_1"])).is_some());
        assert_eq!(words(&policy, &request("dynamodb:Query", "Table.Arn/index/listed", &["con_1"])), None);
    }

    #[test]
    fn of_no_keys_all_are_covered_unless_a_key_must_be_there() {
        let all = json!({ "ForAllValues:StringLike": { LEADING: ["con_*"] } });
        let scan = request("dynamodb:Query", "Table.Arn", &[]);
        assert!(policy(all.clone()).allows(&scan).is_some());
        let mut with_null = all;
        with_null["Null"] = json!({ LEADING: "false" });
        let with_null = policy(with_null);
        assert!(with_null.allows(&scan).is_none());
        assert!(with_null.allows(&request("dynamodb:Query", "Table.Arn", &["con_1"])).is_some());
    }

    #[test]
    fn what_is_denied_is_not_allowed_by_another_statement() {
        let statement = |sid: &str, effect: &str, keys: Value| {
            json!({
                "Sid": sid, "Effect": effect, "Action": "dynamodb:*", "Resource": "Table.Arn",
                "Condition": { "ForAnyValue:StringLike": { LEADING: keys } },
            })
        };
        let statements = [statement("A", "Allow", json!("con_*")), statement("B", "Deny", json!(["con_secret*"]))];
        let policy = Policy::read(&json!([{ "Statement": statements }])).unwrap();
        assert!(policy.allows(&request("dynamodb:GetItem", "Table.Arn", &["con_1"])).is_some());
        assert!(policy.allows(&request("dynamodb:GetItem", "Table.Arn", &["con_1", "con_secret1"])).is_none());
        let words: Vec<_> = policy.grants().into_iter().map(|grant| grant.word).collect();
        assert_eq!(words, ["Table.Arn", "con_*", "dynamodb:*"]);
    }

    #[test]
    fn what_cannot_be_evaluated_is_an_error() {
        let read = |statement: Value| Policy::read(&json!([{ "Statement": [statement] }])).unwrap_err();
        assert!(read(json!({ "Effect": "Allow" })).contains("without a Sid"));
        assert!(read(json!({ "Sid": "A", "Effect": "Allow", "NotAction": "s3:*" })).contains("NotAction"));
        let condition = json!({ "NumericLessThan": { "s3:max-keys": "10" } });
        assert!(read(json!({ "Sid": "A", "Effect": "Allow", "Condition": condition })).contains("NumericLessThan"));
    }

    #[test]
    fn stars_and_question_marks_cover_as_in_iam() {
        for (pattern, text, is) in [
            ("*", "", true),
            ("con_*", "con_", true),
            ("con_*", "Con_1", false),
            ("*:identity/*", "ses:identity/a@b.example", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "aXcYb", false),
        ] {
            assert_eq!(covers(pattern, text), is, "{pattern} {text}");
        }
    }
}
