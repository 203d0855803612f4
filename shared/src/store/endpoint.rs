//! Where `DynamoDB` is. The SDK's own resolver first parses a list of all regions of the world, a quarter of a start.

use aws_sdk_dynamodb::config::Region;
use aws_sdk_dynamodb::config::endpoint::{Endpoint, EndpointFuture, Params, ResolveEndpoint};

/// What the regions of the `aws` partition begin with, in the SDK's `partitions.json`.
const CONTINENTS: [&str; 9] = ["us", "eu", "ap", "sa", "ca", "me", "af", "il", "mx"];

/// One place, whatever is asked for.
#[derive(Debug, Clone)]
pub(super) struct FixedEndpoint(String);

impl FixedEndpoint {
    pub(super) fn at(url: &str) -> Self {
        Self(url.to_owned())
    }

    /// The regional endpoint, where its name follows from the region's: everywhere but in China, in the European
    /// Sovereign Cloud and where the public has no regions.
    pub(super) fn of(region: &Region) -> Option<Self> {
        let mut parts = region.as_ref().split('-');
        let continent = parts.next().is_some_and(|part| CONTINENTS.contains(&part));
        (continent && parts.count() == 2).then(|| Self(format!("https://dynamodb.{region}.amazonaws.com")))
    }
}

impl ResolveEndpoint for FixedEndpoint {
    fn resolve_endpoint<'a>(&'a self, _: &'a Params) -> EndpointFuture<'a> {
        EndpointFuture::ready(Ok(Endpoint::builder().url(self.0.clone()).build()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::config::endpoint::DefaultResolver;

    #[tokio::test]
    async fn a_region_has_the_endpoint_that_the_sdk_would_find() {
        for region in ["eu-central-1", "us-east-1", "ap-southeast-7", "mx-central-1", "il-central-1", "us-west-2"] {
            let params = Params::builder().region(region).build().unwrap();
            let theirs = DefaultResolver::new();
            let theirs = ResolveEndpoint::resolve_endpoint(&theirs, &params).await.unwrap();
            assert_eq!(theirs.url(), FixedEndpoint::of(&Region::new(region)).unwrap().0);
            assert!(theirs.headers().next().is_none() && !theirs.properties().contains_key("authSchemes"));
        }
        for elsewhere in ["cn-north-1", "us-gov-west-1", "eusc-de-east-1", "us-iso-east-1", "aws-global", "eu", ""] {
            assert!(FixedEndpoint::of(&Region::new(elsewhere)).is_none(), "{elsewhere}");
        }
    }
}
