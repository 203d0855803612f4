//! IAM: every call of a function to AWS is held to its statements in template.yaml, before anything is done.
//!
//! A function is known by the token of its session, as on Lambda. What it asks for without a grant is answered as AWS answers
//! it; grants that were of use are [recorded](crate::grants), so that a test finds those of no use.

mod dynamodb;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use gatehouse_template::{AccessRequest, Policy, Template};
use s3s::access::{S3Access, S3AccessContext};
use s3s::path::S3Path;
use s3s::{S3Result, s3_error};
use serde_json::Value;

use crate::bucket::parameter;
use crate::grants;

pub(crate) use dynamodb::requests as of_dynamodb;

/// How what is refused begins.
pub(crate) const DENIED: &str = "IAM:";

/// Holds calls to policies.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    policies: Arc<HashMap<String, Policy>>,
    refused: Arc<Mutex<Vec<String>>>,
}

/// No statement grants it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Denied(String);

impl Guard {
    pub(crate) fn new(template: &Template) -> Self {
        let policies = template.functions.iter().map(|function| (function.name.clone(), function.policy.clone()));
        Self { policies: Arc::new(policies.collect()), refused: Arc::default() }
    }

    /// What was asked for without a grant since the start.
    pub(crate) fn refused(&self) -> Vec<String> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the holder of a session may do this. Who has none is a person or a test, and may do all.
    pub(crate) fn check(&self, token: &str, request: &AccessRequest) -> Result<(), Denied> {
        let function = caller(token);
        let Some(policy) = self.policies.get(function) else { return Ok(()) };
        if let Some(words) = policy.allows(request) {
            grants::used(function, &words);
            return Ok(());
        }
        let denied = denial(function, request);
        grants::refused(&denied);
        tracing::error!("{denied}");
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).push(denied.clone());
        Err(Denied(denied))
    }

    /// SES: the identity that a mail comes from, and the configuration set that it names, must both be granted.
    pub(crate) fn check_mail(&self, token: &str, mail: &Value, mail_from: &str) -> Result<(), Denied> {
        let from = mail["FromEmailAddress"].as_str().unwrap_or_default();
        let address = from.rsplit_once('<').map_or(from, |(_, address)| address.trim_end_matches('>'));
        // What the parameter says is what the template's condition says.
        let named = if address == mail_from { "MailFrom" } else { address };
        let set = mail["ConfigurationSetName"].as_str().map(|_| "configuration-set/MailEvents".to_owned());
        for resource in [format!("identity/{address}")].into_iter().chain(set) {
            self.check(
                token,
                &AccessRequest {
                    action: "ses:SendEmail".to_owned(),
                    resource: format!("arn:AWS::Partition:ses:AWS::Region:AWS::AccountId:{resource}"),
                    context: [("ses:FromAddress", vec![named.to_owned()])].into(),
                },
            )?;
        }
        Ok(())
    }
}

/// Says what was refused, and what would grant it.
fn denial(function: &str, request: &AccessRequest) -> String {
    let AccessRequest { action, resource, context } = request;
    let context: Vec<String> = context
        .iter()
        .filter(|(_, values)| !values.is_empty())
        .map(|(key, values)| format!("{key}: [{}]", patterns(key, values).join(", ")))
        .collect();
    format!(
        "{DENIED} functions/{function} is not authorized to perform {action}; template.yaml needs for it \
         Action: {action}, Resource: {resource}, {}",
        context.join(", ")
    )
}

/// Ids as the pattern that covers them.
fn patterns(key: &str, values: &[String]) -> Vec<String> {
    let pattern = |value: &String| match value.find(['_', '#']) {
        Some(at) if key == "dynamodb:LeadingKeys" => format!("\"{}*\"", &value[..=at]),
        _ => format!("\"{value}\""),
    };
    let mut patterns: Vec<String> = values.iter().map(pattern).collect();
    patterns.sort();
    patterns.dedup();
    patterns
}

/// The header with the token of a session (SigV4); in URLs it is a parameter.
pub(crate) const SESSION_TOKEN: &str = "x-amz-security-token";

/// The token of a function's session. On Lambda they are about as long as this, and each presigned URL has one in it.
pub(crate) fn session_token(function: &str) -> String {
    format!("{function}.{}", "FwoGZXIvYXdzE".repeat(64))
}

/// Whose session it is; nobody's, if there is none: people and tests sign without.
fn caller(token: &str) -> &str {
    token.split('.').next().unwrap_or_default()
}

/// What an operation of S3 needs ("Actions, resources, and condition keys for Amazon S3"), on the bucket or an object.
fn s3_action(operation: &str, query: &str) -> String {
    let action = match operation {
        "HeadObject" => "GetObject",
        "CreateMultipartUpload" | "UploadPart" | "CompleteMultipartUpload" => "PutObject",
        "ListParts" => "ListMultipartUploadParts",
        "ListObjects" | "ListObjectsV2" | "HeadBucket" => "ListBucket",
        "DeleteObject" if query.contains("versionId=") => "DeleteObjectVersion",
        "GetObject" if query.contains("versionId=") => "GetObjectVersion",
        same => same,
    };
    format!("s3:{action}")
}

/// Holds the calls to the bucket to the policies, once their signature is found right.
pub(crate) struct BucketAccess {
    pub(crate) guard: Guard,
    /// Whether an object is there: of what is not there, S3 says so only to those who may list the bucket.
    pub(crate) exists: Box<dyn Fn(&str) -> bool + Send + Sync>,
}

#[async_trait::async_trait]
impl S3Access for BucketAccess {
    async fn check(&self, call: &mut S3AccessContext<'_>) -> S3Result<()> {
        if call.credentials().is_none() {
            return Err(s3_error!(AccessDenied, "Signature is required"));
        }
        let (operation, query) = (call.s3_op().name(), call.uri().query().unwrap_or_default());
        let (S3Path::Object { key, .. } | S3Path::Bucket { bucket: key }) = call.s3_path() else {
            return Err(s3_error!(AccessDenied, "Access Denied"));
        };
        let request = |action: String, resource: String| AccessRequest { action, resource, ..Default::default() };
        let object = matches!(call.s3_path(), S3Path::Object { .. });
        let resource = if object { format!("Bucket.Arn/{key}") } else { "Bucket.Arn".to_owned() };
        let mut needed = vec![request(s3_action(operation, query), resource)];
        if operation == "HeadObject" && !(self.exists)(key) {
            needed.push(request("s3:ListBucket".to_owned(), "Bucket.Arn".to_owned()));
        }
        let in_header = call.headers().get(SESSION_TOKEN).and_then(|token| token.to_str().ok());
        let token = parameter(query, "X-Amz-Security-Token").or(in_header).unwrap_or_default();
        for request in needed {
            let checked = self.guard.check(token, &request);
            checked.map_err(|denied| s3_error!(AccessDenied, "{denied}"))?;
        }
        Ok(())
    }
}
