//! The lean AWS client: credentials and region from Lambda's environment, Amazon's own roots and no others.
//!
//! The SDK's defaults load every certificate of the system and look for credentials in many places; that is
//! two thirds of a function's start. `docs/operating.md` has the measurement.

mod http;

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::{SharedTimeSource, SystemTimeSource};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
pub use aws_types::SdkConfig as AwsConfig;
use aws_types::region::Region;
use url::Url;

use crate::clock::Clock;
use crate::domain::is_loopback;
use crate::http::{ProxyError, TrustedProxy};

/// Amazon Trust Services' roots (<https://www.amazontrust.com/repository/>): every AWS endpoint chains to one of them. In
/// DER, which a start need not decode.
const AMAZON_ROOTS: [&[u8]; 5] = [
    include_bytes!("../certs/amazon-root-ca-1.der"),
    include_bytes!("../certs/amazon-root-ca-2.der"),
    include_bytes!("../certs/amazon-root-ca-3.der"),
    include_bytes!("../certs/amazon-root-ca-4.der"),
    include_bytes!("../certs/starfield-services-root-ca-g2.der"),
];

/// A connection that does not come about within this time is tried anew.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);

/// Where a service is, if not where AWS has it. The names of the variables are the SDKs' own.
#[derive(Debug, Clone, Default)]
pub struct Endpoints {
    /// `AWS_ENDPOINT_URL_DYNAMODB`
    pub dynamodb: Option<String>,
    /// `AWS_ENDPOINT_URL_S3`
    pub s3: Option<String>,
    /// `AWS_ENDPOINT_URL_SESV2`
    pub ses: Option<String>,
    /// `AWS_ENDPOINT_URL_SECRETS_MANAGER`
    pub secrets_manager: Option<String>,
}

/// What a function is given by its environment.
#[derive(Debug, Clone)]
pub struct Env {
    /// Region, credentials, HTTP client.
    pub aws: AwsConfig,
    /// Where services are, if not where AWS has them.
    pub endpoints: Endpoints,
    /// The table (`GATEHOUSE_TABLE`).
    pub table: String,
    /// The bucket of files (`GATEHOUSE_BUCKET`).
    pub bucket: String,
    /// Where the portal is, without a slash at its end (`GATEHOUSE_PORTAL_URL`).
    pub portal_url: String,
    /// The operator's name (`GATEHOUSE_OPERATOR`).
    pub operator: String,
    /// The address that mails come from (`GATEHOUSE_MAIL_FROM`).
    pub mail_from: String,
    /// The configuration set of SES that tells what becomes of mails (`GATEHOUSE_MAIL_EVENTS`).
    pub mail_events: Option<String>,
    /// The proxy whose word for the client's address is taken (`GATEHOUSE_CLIENT_ADDRESS_HEADER` and
    /// `GATEHOUSE_PROXY_SECRET`: both, or none).
    pub proxy: Option<TrustedProxy>,
    /// Whether the bucket's files are scanned for malware, so that each waits for a verdict (`GATEHOUSE_SCAN_UPLOADS`).
    pub scan_uploads: bool,
    /// The secret that sessions are signed with, for the functions that sign.
    pub signing: SigningSecret,
    /// The time.
    pub clock: Clock,
}

/// Where the secret that sessions are signed with comes from.
#[derive(Clone)]
pub enum SigningSecret {
    /// A secret of AWS Secrets Manager (`GATEHOUSE_SIGNING_SECRET_ARN`).
    SecretsManager {
        /// Its ARN.
        arn: String,
    },
    /// The secret itself: the local stack has it in its data folder.
    Known(String),
    /// This function only verifies.
    None,
}

impl std::fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningSecret(…)")
    }
}

/// The environment lacks something.
#[derive(Debug, thiserror::Error)]
pub enum EnvError {
    /// A variable is not set.
    #[error("the environment variable {0} is missing")]
    Missing(&'static str),
    /// Nothing but a service on this very machine is spoken to without TLS.
    #[error("the endpoint in {0} is neither https:// nor on this machine")]
    Insecure(&'static str),
    /// A proxy is named that cannot be trusted so.
    #[error("GATEHOUSE_CLIENT_ADDRESS_HEADER with GATEHOUSE_PROXY_SECRET {0}")]
    Proxy(#[from] ProxyError),
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] rustls::Error),
}

impl Env {
    /// From the variables that Lambda and template.yaml set.
    pub fn from_lambda() -> Result<Self, EnvError> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let needed = |name: &'static str| variable(name).ok_or(EnvError::Missing(name));
        let endpoint = |name: &'static str| match variable(name).or_else(|| variable("AWS_ENDPOINT_URL")) {
            Some(url) if is_plain(&url).is_err() => Err(EnvError::Insecure(name)),
            url => Ok(url),
        };
        let endpoints = Endpoints {
            dynamodb: endpoint("AWS_ENDPOINT_URL_DYNAMODB")?,
            s3: endpoint("AWS_ENDPOINT_URL_S3")?,
            ses: endpoint("AWS_ENDPOINT_URL_SESV2")?,
            secrets_manager: endpoint("AWS_ENDPOINT_URL_SECRETS_MANAGER")?,
        };
        let credentials = Credentials::new(
            needed("AWS_ACCESS_KEY_ID")?,
            needed("AWS_SECRET_ACCESS_KEY")?,
            variable("AWS_SESSION_TOKEN"),
            None,
            "environment",
        );
        Ok(Self {
            aws: sdk_config(needed("AWS_REGION")?, credentials, &endpoints)?,
            endpoints,
            table: needed("GATEHOUSE_TABLE")?,
            bucket: variable("GATEHOUSE_BUCKET").unwrap_or_default(),
            portal_url: variable("GATEHOUSE_PORTAL_URL").unwrap_or_default(),
            operator: variable("GATEHOUSE_OPERATOR").unwrap_or_default(),
            mail_from: variable("GATEHOUSE_MAIL_FROM").unwrap_or_default(),
            mail_events: variable("GATEHOUSE_MAIL_EVENTS"),
            proxy: variable("GATEHOUSE_CLIENT_ADDRESS_HEADER")
                .map(|header| TrustedProxy::new(&header, &variable("GATEHOUSE_PROXY_SECRET").unwrap_or_default()))
                .transpose()?,
            scan_uploads: variable("GATEHOUSE_SCAN_UPLOADS").is_some_and(|asked| asked == "true"),
            signing: variable("GATEHOUSE_SIGNING_SECRET_ARN")
                .map_or(SigningSecret::None, |arn| SigningSecret::SecretsManager { arn }),
            clock: Clock::default(),
        })
    }
}

/// Whether an endpoint is spoken to without TLS, and is on this machine.
fn is_plain(url: &str) -> Result<bool, ()> {
    let url = Url::parse(url).map_err(drop)?;
    match url.scheme() {
        "https" => Ok(false),
        "http" if is_loopback(&url) => Ok(true),
        _ => Err(()),
    }
}

/// What the SDK's clients are made from. Without an endpoint on this machine they speak TLS and nothing else.
pub fn sdk_config(region: String, credentials: Credentials, endpoints: &Endpoints) -> Result<AwsConfig, rustls::Error> {
    let Endpoints { dynamodb, s3, ses, secrets_manager } = endpoints;
    let plain = [dynamodb, s3, ses, secrets_manager].into_iter().flatten().any(|url| is_plain(url) == Ok(true));
    Ok(AwsConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(region))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(http::client(&AMAZON_ROOTS, CONNECT_WITHIN, plain)?)
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .time_source(SharedTimeSource::new(SystemTimeSource::new()))
        .retry_config(RetryConfig::standard().with_max_attempts(4))
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(CONNECT_WITHIN)
                .operation_attempt_timeout(Duration::from_secs(5))
                .operation_timeout(Duration::from_secs(12))
                .build(),
        )
        .build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_this_machine_is_spoken_to_without_tls() {
        for (url, plain) in [
            ("https://dynamodb.eu-central-1.amazonaws.com", Ok(false)),
            ("http://localhost:8000", Ok(true)),
            ("http://127.0.0.1:8000", Ok(true)),
            ("http://[::1]:8000", Ok(true)),
            ("http://dynamodb.eu-central-1.amazonaws.com", Err(())),
            ("http://169.254.169.254", Err(())),
            ("http://localhost.example.com", Err(())),
            ("dynamodb", Err(())),
        ] {
            assert_eq!(is_plain(url), plain, "{url}");
        }
    }
}
