//! Says what is wrong with a request that no other function answers, in the API's own form: API Gateway's
//! answer would be another one, without `Allow`.

use gatehouse::aws::Env;
use gatehouse::event::StartError;
use gatehouse::http::{ApiRequest, ApiResponse, Function, Problem};
use gatehouse_template::{Routes, Template};

/// The function.
pub struct NoRoute {
    routes: Routes,
}

impl Function for NoRoute {
    async fn connect(_: &Env) -> Result<Self, StartError> {
        Ok(Self { routes: Template::of_workspace()?.routes()? })
    }

    async fn handle(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        match self.routes.methods(request.path()) {
            Some(methods) => Err(Problem::method_not_allowed(&methods.join(", "))),
            None => Err(Problem::not_found()),
        }
    }
}
