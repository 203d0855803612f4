//! Functions that no caller waits for: fed by a stream, a schedule or the engineer who deploys.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use lambda_http::lambda_runtime::{self, LambdaEvent};
use lambda_http::service_fn;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::aws::Env;

/// A function could not be made ready, or an event could not be handled: Lambda logs it, and tries again.
pub type StartError = lambda_http::Error;

/// One Lambda function behind a trigger.
pub trait EventFunction: Sized + Send + Sync + 'static {
    /// What it is given.
    type Event: DeserializeOwned + Send;
    /// What it gives back.
    type Outcome: Serialize + Send;

    /// Makes the function ready.
    fn connect(env: &Env) -> impl Future<Output = Result<Self, StartError>> + Send;

    /// Handles one event.
    fn handle(&self, event: Self::Event) -> impl Future<Output = Result<Self::Outcome, StartError>> + Send;
}

/// A function as the local stack triggers it: with the JSON that Lambda would hand over.
pub type Trigger = Arc<dyn Fn(Value) -> BoxFuture<'static, Result<Value, StartError>> + Send + Sync>;

/// Makes a function callable in this process.
pub async fn trigger<F: EventFunction>(env: &Env) -> Result<Trigger, StartError> {
    let function = Arc::new(F::connect(env).await?);
    Ok(Arc::new(move |event| {
        let function = Arc::clone(&function);
        Box::pin(async move { Ok(serde_json::to_value(function.handle(serde_json::from_value(event)?).await?)?) })
    }))
}

/// Runs a function on Lambda until its environment ends.
pub async fn run<F: EventFunction>() -> Result<(), StartError> {
    crate::logs::init();
    // Boxed: the layers of the runtime around the layers of the SDK are deeper than the compiler follows.
    let connecting: BoxFuture<'_, Result<F, StartError>> = Box::pin(async { F::connect(&Env::from_lambda()?).await });
    let function = Arc::new(connecting.await?);
    lambda_runtime::run(service_fn(move |event: LambdaEvent<F::Event>| -> BoxFuture<'static, _> {
        let function = Arc::clone(&function);
        Box::pin(async move { function.handle(event.payload).await })
    }))
    .await
}
