//! The contract of the API, for whoever writes a client: the file beside it, which `infra/openapi` makes of the code.

mod contract;

use gatehouse::aws::Env;
use gatehouse::event::StartError;
use gatehouse::http::{ApiRequest, ApiResponse, Function, Problem, json_unless_known};
use lambda_http::http::{HeaderValue, header};
use serde_json::Value;
use serde_json::value::RawValue;

pub use contract::contract;

const DOCUMENT: &str = include_str!("../openapi.json");

/// The function.
pub struct OpenApi {
    document: Box<RawValue>,
}

impl Function for OpenApi {
    async fn connect(_: &Env) -> Result<Self, StartError> {
        // Without the white space, which is for those who read the file.
        let document: Value = serde_json::from_str(DOCUMENT)?;
        Ok(Self { document: RawValue::from_string(document.to_string())? })
    }

    async fn handle(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        match request.route() {
            "GET /openapi.json" => {
                let mut response = json_unless_known(request, &self.document)?;
                let an_hour = HeaderValue::from_static("public, max-age=3600");
                response.headers_mut().insert(header::CACHE_CONTROL, an_hour);
                Ok(response)
            }
            _ => Err(Problem::not_found()),
        }
    }
}
