//! What a call to `DynamoDB` asks for, as IAM sees it ("Using IAM policy conditions for fine-grained access control").

use std::collections::{BTreeMap, BTreeSet};

use gatehouse_template::AccessRequest;
use serde_json::Value;

const LEADING_KEYS: &str = "dynamodb:LeadingKeys";
const ATTRIBUTES: &str = "dynamodb:Attributes";
const ENCLOSING_OPERATION: &str = "dynamodb:EnclosingOperation";

/// The words of expressions that are no attributes.
const WORDS: [&str; 17] = [
    "add",
    "and",
    "attribute_exists",
    "attribute_not_exists",
    "attribute_type",
    "begins_with",
    "between",
    "contains",
    "delete",
    "if_not_exists",
    "in",
    "list_append",
    "not",
    "or",
    "remove",
    "set",
    "size",
];

/// What one call asks for: a transaction, each of its writes by itself; a batch, all of its keys at once.
pub(crate) fn requests(operation: &str, body: &Value) -> Vec<AccessRequest> {
    match operation {
        "TransactWriteItems" => {
            body["TransactItems"].as_array().into_iter().flatten().flat_map(in_transaction).collect()
        }
        "BatchGetItem" => vec![batch(operation, body, |wanted| {
            wanted["Keys"].as_array().into_iter().flatten().filter_map(leading_key).collect()
        })],
        "BatchWriteItem" => vec![batch(operation, body, |writes| {
            let writes = writes.as_array().into_iter().flatten();
            let items = writes.flat_map(|write| [&write["PutRequest"]["Item"], &write["DeleteRequest"]["Key"]]);
            items.filter_map(leading_key).collect()
        })],
        "Query" => vec![single(operation, body, body["IndexName"].as_str(), queried_key(body).into_iter().collect())],
        _ => {
            let keys = [&body["Key"], &body["Item"]].into_iter().filter_map(leading_key).collect();
            vec![single(operation, body, body["IndexName"].as_str(), keys)]
        }
    }
}

fn in_transaction(write: &Value) -> Vec<AccessRequest> {
    let writes = write.as_object().into_iter().flatten();
    let actions = [
        ("Put", "PutItem"),
        ("Update", "UpdateItem"),
        ("Delete", "DeleteItem"),
        ("ConditionCheck", "ConditionCheckItem"),
    ];
    let requests = writes.map(|(kind, body)| {
        let action = actions.iter().find(|(name, _)| name == kind).map_or(kind.as_str(), |(_, action)| action);
        let keys = [&body["Key"], &body["Item"]].into_iter().filter_map(leading_key).collect();
        let mut request = single(action, body, None, keys);
        request.context.insert(ENCLOSING_OPERATION, vec!["TransactWriteItems".to_owned()]);
        request
    });
    requests.collect()
}

fn batch(operation: &str, body: &Value, keys: impl Fn(&Value) -> BTreeSet<String>) -> AccessRequest {
    let tables = body["RequestItems"].as_object().into_iter().flatten();
    single(operation, &Value::Null, None, tables.flat_map(|(_, wanted)| keys(wanted)).collect())
}

fn single(operation: &str, body: &Value, index: Option<&str>, keys: BTreeSet<String>) -> AccessRequest {
    let mut context = BTreeMap::new();
    for (name, values) in [(LEADING_KEYS, keys), (ATTRIBUTES, attributes(body))] {
        if !values.is_empty() {
            context.insert(name, values.into_iter().collect());
        }
    }
    let resource = index.map_or_else(|| "Table.Arn".to_owned(), |index| format!("Table.Arn/index/{index}"));
    AccessRequest { action: format!("dynamodb:{operation}"), resource, context }
}

/// The partition of an item or of its key.
fn leading_key(item: &Value) -> Option<String> {
    item["pk"]["S"].as_str().map(str::to_owned)
}

/// The partition that a query names first: `#pk = :pk AND …`.
fn queried_key(body: &Value) -> Option<String> {
    let first = body["KeyConditionExpression"].as_str()?.split(" AND ").next()?;
    let value = first.split_once('=')?.1.trim();
    body["ExpressionAttributeValues"][value]["S"].as_str().map(str::to_owned)
}

/// The attributes that a call names: those of its key or item, and those of its expressions.
fn attributes(body: &Value) -> BTreeSet<String> {
    let of_items =
        [&body["Key"], &body["Item"]].into_iter().filter_map(Value::as_object).flat_map(serde_json::Map::keys);
    let mut names: BTreeSet<String> = of_items.cloned().collect();
    let expressions = body.as_object().into_iter().flatten().filter(|(name, _)| name.ends_with("Expression"));
    for expression in expressions.filter_map(|(_, expression)| expression.as_str()) {
        let is_end = |letter: char| !(letter.is_alphanumeric() || "_#:.".contains(letter));
        for word in expression.split(is_end).filter(|word| !word.is_empty()) {
            let attribute = word.split('.').next().unwrap_or_default();
            let is_name = !attribute.starts_with(|first: char| first == ':' || first.is_numeric());
            let named = body["ExpressionAttributeNames"][attribute].as_str().unwrap_or(attribute);
            if is_name && !WORDS.contains(&attribute.to_ascii_lowercase().as_str()) {
                names.insert(named.to_owned());
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn keys(request: &AccessRequest) -> Vec<&str> {
        request.context[LEADING_KEYS].iter().map(String::as_str).collect()
    }

    #[test]
    fn each_write_of_a_transaction_is_asked_for_by_itself() {
        let key = |pk: &str| json!({ "pk": { "S": pk }, "sk": { "S": "A" } });
        let body = json!({ "TransactItems": [
            { "Put": { "TableName": "t", "Item": key("con_1") } },
            { "ConditionCheck": { "Key": key("shr_1"), "ConditionExpression": "rev = :was" } },
        ] });
        let requests = requests("TransactWriteItems", &body);
        let actions: Vec<_> = requests.iter().map(|request| request.action.as_str()).collect();
        assert_eq!(actions, ["dynamodb:PutItem", "dynamodb:ConditionCheckItem"]);
        assert_eq!((keys(&requests[0]), keys(&requests[1])), (vec!["con_1"], vec!["shr_1"]));
        assert_eq!(requests[0].context[ENCLOSING_OPERATION], ["TransactWriteItems"]);
        assert_eq!(requests[1].context[ATTRIBUTES], ["pk", "rev", "sk"]);
    }

    #[test]
    fn a_batch_is_asked_for_with_all_its_keys() {
        let key = |pk: &str| json!({ "pk": { "S": pk }, "sk": { "S": "A" } });
        let get =
            requests("BatchGetItem", &json!({ "RequestItems": { "t": { "Keys": [key("con_1"), key("com_1")] } } }));
        assert_eq!((get.len(), keys(&get[0])), (1, vec!["com_1", "con_1"]));
        let writes = json!([{ "PutRequest": { "Item": key("a") } }, { "DeleteRequest": { "Key": key("b") } }]);
        let write = requests("BatchWriteItem", &json!({ "RequestItems": { "t": writes } }));
        assert_eq!((write[0].action.as_str(), keys(&write[0])), ("dynamodb:BatchWriteItem", vec!["a", "b"]));
    }

    #[test]
    fn a_query_of_an_index_is_asked_for_with_the_key_of_the_index() {
        let query = requests(
            "Query",
            &json!({
                "IndexName": "listed", "KeyConditionExpression": "#pk = :pk AND begins_with(#sk, :sk)",
                "ExpressionAttributeNames": { "#pk": "listed_pk", "#sk": "listed_sk" },
                "ExpressionAttributeValues": { ":pk": { "S": "COMPANIES" }, ":sk": { "S": "x" } },
            }),
        );
        assert_eq!((query[0].resource.as_str(), keys(&query[0])), ("Table.Arn/index/listed", vec!["COMPANIES"]));
        assert_eq!(query[0].context[ATTRIBUTES], ["listed_pk", "listed_sk"]);
    }

    #[test]
    fn the_attributes_of_an_update_are_those_that_it_names() {
        let body = json!({
            "Key": { "pk": { "S": "con_1" }, "sk": { "S": "A" } },
            "UpdateExpression": "SET mail_problem = :p, #u = if_not_exists(tries.n, :0) REMOVE x ADD rev :one",
            "ConditionExpression": "attribute_exists(pk) AND (NOT size(words) > :n OR #u IN (:a, :b))",
            "ExpressionAttributeNames": { "#u": "until" },
        });
        let update = requests("UpdateItem", &body);
        assert_eq!(update[0].context[ATTRIBUTES], ["mail_problem", "pk", "rev", "sk", "tries", "until", "words", "x"]);
    }
}
