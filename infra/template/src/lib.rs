//! Reads template.yaml, the one list of functions and routes, for all who would otherwise keep a second one:
//! the local gateway, the function that says 405, the tests.

use std::collections::BTreeMap;

use matchit::Router;
use serde::Deserialize;
use serde_json::Value;

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
}

#[derive(Deserialize)]
struct Document {
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
}

/// One function.
#[derive(Debug)]
pub struct Function {
    /// Its folder below `functions/`.
    pub name: String,
    /// What it answers.
    pub routes: Vec<Route>,
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
        let functions = of_kind("AWS::Serverless::Function").map(function).collect();
        let table = of_kind("AWS::DynamoDB::Table").next().map(|table| table.properties.clone());
        Ok(Self { functions, table: table.ok_or_else(|| TemplateError::Yaml("there is no table".to_owned()))? })
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
            let inserted = router.insert(path, at);
            inserted.map_err(|error| TemplateError::Route { path: path.to_owned(), cause: error.to_string() })?;
        }
        let default = default.ok_or_else(|| TemplateError::Yaml("there is no default route".to_owned()))?;
        Ok(Routes { router, default })
    }
}

fn function(resource: &Resource) -> Function {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let properties = &resource.properties;
    let events = properties["Events"].as_object().into_iter().flat_map(serde_json::Map::values);
    let routes = events.filter(|event| event["Type"] == "HttpApi").map(|event| {
        let properties = &event["Properties"];
        match properties["Path"].as_str() {
            Some(path) => Route::Path { method: text(&properties["Method"]), path: path.to_owned() },
            None => Route::Default,
        }
    });
    let name = text(&properties["CodeUri"]).trim_start_matches("functions/").to_owned();
    Function { name, routes: routes.collect() }
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
    fn a_request_finds_its_function_as_api_gateway_would() {
        let routes = Template::of_workspace().unwrap().routes().unwrap();
        assert_eq!(routes.find("DELETE", "/v1/sessions/current").route_key, "DELETE /v1/sessions/current");
        let show = routes.find("GET", "/v1/shares/shr_1");
        assert_eq!((show.function.as_str(), show.route_key.as_str()), ("list-shares", "GET /v1/shares/{id}"));
        assert_eq!(show.parameters, [("id".to_owned(), "shr_1".to_owned())]);
        assert_eq!(routes.find("PUT", "/v1/shares").function, "no-route");
        assert_eq!(routes.methods("/v1/shares"), Some(vec!["GET", "POST"]));
        assert_eq!(routes.methods("/v1/nothing"), None);
    }
}
