//! Reads template.yaml, the one list of functions and routes, for all who would otherwise keep a second one:
//! the local gateway, the function that says 405, the tests.

mod policy;

use std::collections::BTreeMap;
use std::time::Duration;

use matchit::Router;
use serde::Deserialize;
use serde_json::Value;

pub use policy::{AccessRequest, Grant, Policy, covers};

/// The template of this workspace.
pub const TEMPLATE: &str = include_str!("../../../template.yaml");

/// template.yaml is not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// It is no YAML, or lacks what every template has.
    #[error("template.yaml: {0}")]
    Yaml(String),
    /// Two routes that cannot be told apart.
    #[error("template.yaml: the path {path}: {cause}")]
    Route {
        /// Where.
        path: String,
        /// Why.
        cause: String,
    },
    /// A policy that cannot be evaluated here.
    #[error("template.yaml: the policies of {function}: {cause}")]
    Policy {
        /// Whose.
        function: String,
        /// Why.
        cause: String,
    },
    /// A schedule that is none.
    #[error("template.yaml: the schedule of {function} cannot be read: {text}")]
    Schedule {
        /// Whose.
        function: String,
        /// What it says.
        text: String,
    },
}

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "Globals", default)]
    globals: Value,
    #[serde(rename = "Resources")]
    resources: BTreeMap<String, Resource>,
}

#[derive(Deserialize)]
struct Resource {
    #[serde(rename = "Type")]
    kind: String,
    #[serde(rename = "Properties", default)]
    properties: Value,
}

/// What of the template concerns this machine.
#[derive(Debug)]
pub struct Template {
    /// The functions, by the name of their folder.
    pub functions: Vec<Function>,
    /// The properties of the table.
    pub table: Value,
    /// The properties of the bucket.
    pub bucket: Value,
}

/// One function.
#[derive(Debug)]
pub struct Function {
    /// Its folder below `functions/`.
    pub name: String,
    /// What it answers.
    pub routes: Vec<Route>,
    /// When it is called by itself.
    pub schedules: Vec<Schedule>,
    /// What it may ask of AWS.
    pub policy: Policy,
    /// How long it may take.
    pub timeout: Duration,
    /// The function that is given the record of each call of this one that nobody waited for and that went well.
    pub on_success: Option<String>,
}

/// When a function is called by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// How often.
    pub every: Duration,
    /// What it is given; an empty object, if the template says nothing.
    pub input: Value,
}

/// What a function answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// One method of one path.
    Path {
        /// `GET`
        method: String,
        /// `/v1/shares/{id}`
        path: String,
    },
    /// Whatever nothing else answers.
    Default,
}

impl Template {
    /// Reads the template of this workspace.
    pub fn of_workspace() -> Result<Self, TemplateError> {
        Self::parse(TEMPLATE)
    }

    /// Reads a template.
    pub fn parse(yaml: &str) -> Result<Self, TemplateError> {
        let document: Document =
            serde_saphyr::from_str(yaml).map_err(|error| TemplateError::Yaml(error.to_string()))?;
        let of_kind = |kind: &'static str| document.resources.values().filter(move |resource| resource.kind == kind);
        let functions = of_kind("AWS::Serverless::Function");
        let functions = functions.map(|resource| function(resource, &document)).collect::<Result<_, _>>()?;
        let first = |kind: &'static str| {
            let properties = of_kind(kind).next().map(|resource| resource.properties.clone());
            properties.ok_or_else(|| TemplateError::Yaml(format!("there is no {kind}")))
        };
        Ok(Self { functions, table: first("AWS::DynamoDB::Table")?, bucket: first("AWS::S3::Bucket")? })
    }

    /// Who answers what, to be asked by path and method.
    pub fn routes(&self) -> Result<Routes, TemplateError> {
        let mut by_path: BTreeMap<&str, BTreeMap<String, String>> = BTreeMap::new();
        let mut default = None;
        for function in &self.functions {
            for route in &function.routes {
                match route {
                    Route::Default => default = Some(function.name.clone()),
                    Route::Path { method, path } => {
                        by_path.entry(path).or_default().insert(method.clone(), function.name.clone());
                    }
                }
            }
        }
        let mut router = Router::new();
        for (path, methods) in by_path {
            let at = Methods { path: path.to_owned(), methods };
            let inserted = router.insert(as_matched(path), at);
            inserted.map_err(|error| TemplateError::Route { path: path.to_owned(), cause: error.to_string() })?;
        }
        let default = default.ok_or_else(|| TemplateError::Yaml("there is no default route".to_owned()))?;
        Ok(Routes { router, default })
    }
}

/// A path as the router writes it: what API Gateway calls `{reference+}`, the rest of a path, is `{*reference}` there.
fn as_matched(path: &str) -> String {
    let parts = path.split('/').map(|part| match part.strip_prefix('{').and_then(|part| part.strip_suffix("+}")) {
        Some(name) => format!("{{*{name}}}"),
        None => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("/")
}

/// Lambda's own default, in seconds ("Configure Lambda function timeout").
const DEFAULT_TIMEOUT: u64 = 3;

/// The folder of a function below `functions/`.
fn name(resource: &Resource) -> String {
    let folder = resource.properties["CodeUri"].as_str().unwrap_or_default();
    folder.trim_start_matches("functions/").to_owned()
}

fn function(resource: &Resource, document: &Document) -> Result<Function, TemplateError> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let properties = &resource.properties;
    let name = name(resource);
    let (mut routes, mut schedules) = (Vec::new(), Vec::new());
    for event in properties["Events"].as_object().into_iter().flat_map(serde_json::Map::values) {
        let properties = &event["Properties"];
        match (event["Type"].as_str(), properties["Path"].as_str()) {
            (Some("HttpApi"), Some(path)) => {
                routes.push(Route::Path { method: text(&properties["Method"]), path: path.to_owned() });
            }
            (Some("HttpApi"), None) => routes.push(Route::Default),
            (Some("Schedule"), _) => {
                let unread = || TemplateError::Schedule { function: name.clone(), text: properties.to_string() };
                schedules.push(schedule(properties).ok_or_else(unread)?);
            }
            _ => {}
        }
    }
    let timeout = properties["Timeout"].as_u64().or_else(|| document.globals["Function"]["Timeout"].as_u64());
    let timeout = Duration::from_secs(timeout.unwrap_or(DEFAULT_TIMEOUT));
    let policy = Policy::read(&properties["Policies"])
        .map_err(|cause| TemplateError::Policy { function: name.clone(), cause })?;
    let destination = properties["EventInvokeConfig"]["DestinationConfig"]["OnSuccess"]["Destination"].as_str();
    let destination = destination.and_then(|arn| document.resources.get(arn.strip_suffix(".Arn")?));
    Ok(Function { name, routes, schedules, policy, timeout, on_success: destination.map(self::name) })
}

fn schedule(properties: &Value) -> Option<Schedule> {
    let text = properties["Schedule"].as_str()?.strip_suffix(')')?;
    let every = text.strip_prefix("rate(").and_then(rate).or_else(|| daily(text.strip_prefix("cron(")?))?;
    let input = match &properties["Input"] {
        Value::Null => Value::Object(serde_json::Map::new()),
        input => serde_json::from_str(input.as_str()?).ok()?,
    };
    Some(Schedule { every, input })
}

/// `5 minutes`, in the words that `EventBridge` takes: 1 of a thing is singular.
fn rate(rate: &str) -> Option<Duration> {
    let (count, unit) = rate.split_once(' ')?;
    let count: u32 = count.parse().ok().filter(|count| *count > 0)?;
    let unit = if count == 1 { unit } else { unit.strip_suffix('s')? };
    let seconds = match unit {
        "minute" => 60,
        "hour" => 60 * 60,
        "day" => 24 * 60 * 60,
        _ => return None,
    };
    Some(Duration::from_secs(u64::from(count) * seconds))
}

/// `30 4 * * ? *`: once a day. On AWS at that time; on this machine a day after it began, so that no story depends on the
/// hour at which it is told. No other cron is used here.
fn daily(cron: &str) -> Option<Duration> {
    let (minute, rest) = cron.split_once(' ')?;
    let hour = rest.strip_suffix(" * * ? *")?;
    let within = |text: &str, end: u8| text.parse::<u8>().is_ok_and(|number| number < end);
    (within(minute, 60) && within(hour, 24)).then_some(Duration::from_hours(24))
}

/// Who answers what.
#[derive(Debug, Clone)]
pub struct Routes {
    router: Router<Methods>,
    default: String,
}

#[derive(Debug, Clone)]
struct Methods {
    path: String,
    methods: BTreeMap<String, String>,
}

/// The function that answers a request, as API Gateway finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matched {
    /// The function's name.
    pub function: String,
    /// `GET /v1/shares/{id}`, or `$default`.
    pub route_key: String,
    /// The parts of the path that the route names, still percent-encoded.
    pub parameters: Vec<(String, String)>,
}

impl Routes {
    /// Who answers.
    #[must_use]
    pub fn find(&self, method: &str, path: &str) -> Matched {
        let found = self.router.at(path).ok().and_then(|found| {
            let function = found.value.methods.get(method)?.clone();
            let parameters = found.params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            Some(Matched { function, route_key: format!("{method} {}", found.value.path), parameters })
        });
        let default =
            || Matched { function: self.default.clone(), route_key: "$default".to_owned(), parameters: Vec::new() };
        found.unwrap_or_else(default)
    }

    /// The methods that a path takes, if it is one.
    #[must_use]
    pub fn methods(&self, path: &str) -> Option<Vec<&str>> {
        let found = self.router.at(path).ok()?;
        Some(found.value.methods.keys().map(String::as_str).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_of_the_template_has_its_folder_and_its_routes() {
        let template = Template::of_workspace().unwrap();
        let invite = template.functions.iter().find(|function| function.name == "invite").unwrap();
        let path = "/v1/contacts/{id}/invitation".to_owned();
        assert!(invite.routes.contains(&Route::Path { method: "POST".to_owned(), path }));
        for function in &template.functions {
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../functions/").to_owned() + &function.name;
            assert!(std::path::Path::new(&folder).is_dir(), "{} has no folder", function.name);
        }
    }

    #[test]
    fn mails_go_by_tls_alone_unless_whoever_deploys_says_otherwise() {
        let parameter = TEMPLATE.split("\n  MailTls:\n").nth(1).and_then(|rest| rest.split("Default: ").nth(1));
        assert!(parameter.is_some_and(|rest| rest.starts_with("REQUIRE\n")));
        assert!(TEMPLATE.contains("DeliveryOptions: { TlsPolicy: !Ref MailTls }"));
    }

    #[test]
    fn a_request_finds_its_function_as_api_gateway_would() {
        let routes = Template::of_workspace().unwrap().routes().unwrap();
        assert_eq!(routes.find("DELETE", "/v1/sessions/current").route_key, "DELETE /v1/sessions/current");
        let show = routes.find("GET", "/v1/shares/shr_1");
        assert_eq!((show.function.as_str(), show.route_key.as_str()), ("list-shares", "GET /v1/shares/{id}"));
        assert_eq!(show.parameters, [("id".to_owned(), "shr_1".to_owned())]);
        assert_eq!(routes.find("PUT", "/v1/shares").function, "no-route");
        assert_eq!(routes.methods("/v1/shares"), Some(vec!["GET", "HEAD", "POST"]));
        assert_eq!(routes.methods("/v1/nothing"), None);
        let put = routes.find("PUT", "/v1/companies/com_1/jobs/2026/00123");
        assert_eq!(put.route_key, "PUT /v1/companies/{id}/jobs/{reference+}");
        assert!(put.parameters.contains(&("reference".to_owned(), "2026/00123".to_owned())));
    }
    fn scheduled(properties: &str) -> Result<Template, TemplateError> {
        Template::parse(&format!(
            "{{Resources: {{
                Table: {{Type: 'AWS::DynamoDB::Table'}},
                Bucket: {{Type: 'AWS::S3::Bucket'}},
                Sweeper: {{
                    Type: 'AWS::Serverless::Function',
                    Properties: {{CodeUri: functions/sweeper, Events: {{At: {{Type: Schedule, Properties: {properties}}}}}}},
                }},
            }}}}"
        ))
    }

    #[test]
    fn a_schedule_says_how_often_and_with_what() {
        for (rate, seconds) in [("5 minutes", 300), ("1 minute", 60), ("2 hours", 7_200), ("1 day", 86_400)] {
            let template = scheduled(&format!("{{Schedule: rate({rate}), Input: '{{\"sweep\": true}}'}}")).unwrap();
            let input = serde_json::json!({ "sweep": true });
            assert_eq!(template.functions[0].schedules, [Schedule { every: Duration::from_secs(seconds), input }]);
        }
        let template = scheduled("{Schedule: cron(30 4 * * ? *)}").unwrap();
        assert_eq!(template.functions[0].schedules[0].every, Duration::from_hours(24));
        let template = scheduled("{Schedule: rate(1 hour)}").unwrap();
        assert_eq!(template.functions[0].schedules[0].input, serde_json::json!({}));
    }

    #[test]
    fn a_schedule_that_eventbridge_would_not_take_is_an_error() {
        for properties in [
            "{Schedule: rate(1 minutes)}",
            "{Schedule: rate(2 day)}",
            "{Schedule: rate(0 minutes)}",
            "{Schedule: rate(3 seconds)}",
            "{Schedule: cron(0 24 * * ? *)}",
            "{Schedule: cron(60 4 * * ? *)}",
            "{Schedule: cron(0 4 * * MON *)}",
            "{Schedule: cron(1 day)}",
            "{Schedule: rate(1 day), Input: '{'}",
            "{Input: '{}'}",
        ] {
            let error = scheduled(properties).unwrap_err();
            assert!(matches!(error, TemplateError::Schedule { function, .. } if function == "sweeper"), "{properties}");
        }
    }

    #[test]
    fn what_the_stack_policy_protects_is_in_the_template() {
        let policy: Value = serde_json::from_str(include_str!("../../stack-policy.json")).unwrap();
        let document: Document = serde_saphyr::from_str(TEMPLATE).unwrap();
        let protected = policy["Statement"][1]["Resource"].as_array().unwrap();
        for resource in protected.iter().map(|resource| resource.as_str().unwrap()) {
            let name = resource.strip_prefix("LogicalResourceId/").unwrap();
            assert!(document.resources.contains_key(name), "{name}");
        }
        assert_eq!(protected.len(), 2);
        let deny = &policy["Statement"][1];
        let what = (&deny["Effect"], &deny["Principal"], &deny["Action"]);
        let whole = serde_json::json!(["Update:Replace", "Update:Delete"]);
        assert_eq!(what, (&"Deny".into(), &"*".into(), &whole));
        for resource in ["Table", "Bucket"] {
            let properties = resource_text(resource);
            assert!(
                properties.contains("DeletionPolicy: Retain") && properties.contains("UpdateReplacePolicy: Retain")
            );
        }
    }

    /// A resource as it stands in template.yaml.
    fn resource_text(name: &str) -> &'static str {
        let after = TEMPLATE.split_once(&format!("\n  {name}:\n")).unwrap().1;
        let end =
            after.lines().take_while(|line| line.is_empty() || line.starts_with("   ")).map(|line| line.len() + 1);
        &after[..end.sum::<usize>().min(after.len())]
    }

    #[test]
    fn what_a_proxy_says_of_its_clients_reaches_every_function() {
        let globals = TEMPLATE.split_once("\nGlobals:\n").unwrap().1.split_once("\nResources:\n").unwrap().0;
        for (variable, parameter) in
            [("GATEHOUSE_CLIENT_ADDRESS_HEADER", "ClientAddressHeader"), ("GATEHOUSE_PROXY_SECRET", "ProxySecret")]
        {
            assert!(globals.contains(&format!("        {variable}: !Ref {parameter}\n")), "{variable}");
        }
        let environments = TEMPLATE.matches("GATEHOUSE_PROXY_SECRET").count();
        assert_eq!(environments, 1, "no function has another one");
    }

    #[test]
    fn the_table_cannot_be_deleted_by_mistake_and_none_of_its_collections_ends_at_ten_gigabytes() {
        let table = resource_text("Table");
        assert!(table.contains("DeletionProtectionEnabled: true"));
        assert!(table.contains("GlobalSecondaryIndexes:") && !table.contains("LocalSecondaryIndexes"));
        assert!(table.contains("PointInTimeRecoveryEnabled: true"));
    }

    #[test]
    fn an_event_that_failed_three_times_is_kept_for_somebody_to_look_at() {
        let template = Template::of_workspace().unwrap();
        for name in ["FinishUpload", "NoteBounce", "DeliverMail", "RunTasks"] {
            let function = resource_text(&format!("{name}Function"));
            assert!(function.contains("OnFailure:") || function.contains("*KeepsFailedEvents"), "{name}");
        }
        // Once a day is said by the clock: each deployment begins a rate anew.
        for function in template.functions.iter().filter(|function| !function.schedules.is_empty()) {
            let daily = function.schedules.iter().any(|schedule| schedule.every == Duration::from_hours(24));
            let resource = TEMPLATE.split(&format!("CodeUri: functions/{}\n", function.name)).nth(1).unwrap();
            let schedule = resource.split("Schedule: ").nth(1).unwrap().lines().next().unwrap();
            assert_eq!(schedule.starts_with("cron("), daily, "{}: {schedule}", function.name);
        }
    }

    #[test]
    fn the_bucket_and_the_schedules_of_the_template_are_found() {
        let template = Template::of_workspace().unwrap();
        assert!(template.bucket["LifecycleConfiguration"]["Rules"].is_array());
        let deliver_mail = template.functions.iter().find(|function| function.name == "deliver-mail").unwrap();
        assert_eq!(deliver_mail.schedules.len(), 1);
    }
}
