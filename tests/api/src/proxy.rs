//! Something before a service of this machine: for a service that is slow, or fails.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::Response;
use reqwest::{Client, Method, RequestBuilder};

/// A request that has yet to reach its service.
pub struct PassOn {
    request: RequestBuilder,
    target: String,
}

impl PassOn {
    /// Whether it asks DynamoDB for that ("DynamoDB low-level API": `X-Amz-Target`).
    pub fn is(&self, operation: &str) -> bool {
        self.target.ends_with(operation)
    }

    /// The service's own answer.
    pub async fn send(self) -> Response {
        let answer = self.request.send().await.unwrap();
        let mut passed = Response::builder().status(answer.status());
        passed.headers_mut().unwrap().extend(answer.headers().clone());
        passed.body(Body::from(answer.bytes().await.unwrap())).unwrap()
    }
}

/// Listens before a service, and does with each request what is said: the URL to use in its place. The signatures of the
/// requests go on to be good, for they come to the service with its own name.
pub fn before<R: Future<Output = Response> + Send + 'static>(
    service: &str,
    handle: impl Fn(Method, PassOn) -> R + Clone + Send + Sync + 'static,
) -> String {
    let (service, http) = (service.to_owned(), Client::new());
    let fallback = move |request: Request| {
        let (service, http, handle) = (service.clone(), http.clone(), handle.clone());
        async move {
            let (parts, body) = request.into_parts();
            let body = to_bytes(body, usize::MAX).await.unwrap();
            let path = parts.uri.path_and_query().unwrap().as_str();
            let target = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
            let target = target.to_owned();
            let request = http.request(parts.method.clone(), format!("{service}{path}")).headers(parts.headers);
            handle(parts.method, PassOn { request: request.body(body), target }).await
        }
    };
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(fallback)).await });
    url
}
