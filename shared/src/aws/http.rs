//! HTTP/1.1 over TLS, and nothing else: what DynamoDB, S3, SES and Secrets Manager are spoken to with.
//!
//! The SDK's own client brings HTTP/2 and a pool for it, half a megabyte that no call here uses. `docs/decisions` says more.

use std::time::Duration;

use aws_smithy_runtime_api::client::connection::{CaptureSmithyConnection, ConnectionMetadata};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt as _;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{CaptureConnection, HttpConnector as TcpConnector, capture_connection};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use lambda_http::http::Response;
use lambda_http::http::header::CONTENT_TYPE;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore, crypto::ring};

/// Idle connections end before the services end them.
const IDLE_FOR: Duration = Duration::from_secs(20);

/// A client that trusts these roots, in DER, and no others. `plain`: it also speaks to what has no TLS.
pub(super) fn client(
    roots: &[&'static [u8]],
    connect_within: Duration,
    plain: bool,
) -> Result<SharedHttpClient, rustls::Error> {
    let mut trusted = RootCertStore::empty();
    trusted.add_parsable_certificates(roots.iter().map(|root| CertificateDer::from(*root)));
    let tls = ClientConfig::builder_with_provider(ring::default_provider().into());
    let tls = tls.with_safe_default_protocol_versions()?.with_root_certificates(trusted).with_no_client_auth();
    let mut tcp = TcpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(connect_within));
    let https = HttpsConnectorBuilder::new().with_tls_config(tls);
    let https = if plain { https.https_or_http() } else { https.https_only() };
    let https = https.enable_http1().wrap_connector(tcp);
    let mut client = Client::builder(TokioExecutor::new());
    client.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE_FOR);
    Ok(SharedHttpClient::new(Https(client.build(https))))
}

#[derive(Debug, Clone)]
struct Https(Client<HttpsConnector<TcpConnector>, SdkBody>);

impl HttpClient for Https {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

/// The connection of a request, which the SDK closes where the request has failed on the way.
fn closable(used: &CaptureConnection) -> ConnectionMetadata {
    let used = used.clone();
    let close = move || {
        if let Some(connection) = used.connection_metadata().as_ref() {
            connection.poison();
        }
    };
    ConnectionMetadata::builder().proxied(false).poison_fn(close).build()
}

impl HttpConnector for Https {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.0.clone();
        HttpConnectorFuture::new(async move {
            let mut request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
            let used = capture_connection(&mut request);
            if let Some(capture) = request.extensions().get::<CaptureSmithyConnection>() {
                capture.set_connection_retriever(move || Some(closable(&used)));
            }
            // The SDK tries again after these, as after those of its own client.
            let response = client.request(request).await.map_err(|error| ConnectorError::io(error.into()))?;
            let (head, body) = response.into_parts();
            let body = match head.headers.get(CONTENT_TYPE) {
                // DynamoDB's answers are read whole, here, where what breaks off is tried again as well.
                Some(json) if json.as_bytes().starts_with(b"application/x-amz-json") => {
                    let body = body.collect().await.map_err(|error| ConnectorError::io(error.into()))?;
                    SdkBody::from(body.to_bytes())
                }
                _ => SdkBody::from_body_1_x(body),
            };
            HttpResponse::try_from(Response::from_parts(head, body))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}
