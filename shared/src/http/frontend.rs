//! What stands before the API: https or not, and a proxy whose word for the client's address is taken.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use lambda_http::http::{HeaderMap, HeaderName};
use ring::hmac;

/// The header in which a proxy proves that it is ours.
const PROXY_HEADER: &str = "x-gatehouse-proxy";

/// What stands before the API.
#[derive(Debug, Clone, Default)]
pub struct Frontend {
    /// Whether the portal is reached over https.
    pub secure: bool,
    /// The proxy that is believed, if there is one.
    pub proxy: Option<TrustedProxy>,
}

/// A proxy that names the client's address: believed only where it proves itself by a secret, for anybody can reach the
/// API beside it.
#[derive(Clone)]
pub struct TrustedProxy {
    /// The header that names the client, such as `CloudFront-Viewer-Address`.
    header: HeaderName,
    key: hmac::Key,
    proof: hmac::Tag,
}

impl std::fmt::Debug for TrustedProxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TrustedProxy").field("header", &self.header).finish_non_exhaustive()
    }
}

/// A proxy cannot be trusted as it is configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    /// No header has that name.
    #[error("is not the name of a header")]
    Header,
    /// A secret that could be guessed.
    #[error("needs a secret of 32 characters or more")]
    Secret,
}

impl TrustedProxy {
    /// A proxy that names the client in that header, and sends that secret in `X-Gatehouse-Proxy`.
    pub fn new(header: &str, secret: &str) -> Result<Self, ProxyError> {
        let header = header.parse().map_err(|_| ProxyError::Header)?;
        if secret.len() < 32 {
            return Err(ProxyError::Secret);
        }
        // Compared as HMACs under a key of this process, in constant time.
        let key = hmac::Key::new(hmac::HMAC_SHA256, &crate::random::<32>());
        let proof = hmac::sign(&key, secret.as_bytes());
        Ok(Self { header, key, proof })
    }

    /// The client's address, if this proxy says it. Of several the last: what stands before it came with the request.
    fn client(&self, headers: &HeaderMap) -> Option<IpAddr> {
        let given = headers.get(PROXY_HEADER)?;
        hmac::verify(&self.key, given.as_bytes(), self.proof.as_ref()).ok()?;
        let named = headers.get_all(&self.header).iter().next_back()?.to_str().ok()?;
        address(named.rsplit(',').next()?)
    }
}

impl Frontend {
    /// The network that a request comes from, for counting: an IPv4 address, or the /64 that one household has.
    pub(super) fn network(&self, headers: &HeaderMap, peer: Option<IpAddr>) -> String {
        let client = self.proxy.as_ref().and_then(|proxy| proxy.client(headers)).or(peer);
        match client.map(|ip| ip.to_canonical()) {
            Some(IpAddr::V4(ip)) => ip.to_string(),
            Some(IpAddr::V6(ip)) => Ipv6Addr::from(u128::from(ip) >> 64 << 64).to_string(),
            None => String::new(),
        }
    }
}

/// An address as proxies write it: alone, with a port, in brackets, or as `CloudFront` writes IPv6, with a port and without
/// brackets.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let bare = bare.split('%').next().unwrap_or(bare);
    let with_port = || text.parse().ok().map(|with_port: SocketAddr| with_port.ip());
    let unbracketed = || {
        let (address, port) = text.rsplit_once(':')?;
        port.parse::<u16>().ok()?;
        address.parse().ok().map(IpAddr::V6)
    };
    bare.parse().ok().or_else(with_port).or_else(unbracketed)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use lambda_http::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    const SECRET: &str = "a secret that only the proxy and we know";

    fn network(pairs: &[(&'static str, &str)]) -> String {
        let proxy = TrustedProxy::new("CloudFront-Viewer-Address", SECRET).ok();
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        Frontend { secure: true, proxy }.network(&headers, Some(IpAddr::from([192, 0, 2, 1])))
    }

    #[test]
    fn the_proxys_word_counts_with_its_secret_and_not_without() {
        let viewer = ("cloudfront-viewer-address", "198.51.100.7:46532");
        assert_eq!(network(&[viewer, ("x-gatehouse-proxy", SECRET)]), "198.51.100.7");
        for others in [&[viewer][..], &[viewer, ("x-gatehouse-proxy", "guessed")], &[viewer, ("x-gatehouse-proxy", "")]]
        {
            assert_eq!(network(others), "192.0.2.1");
        }
        assert_eq!(network(&[("x-gatehouse-proxy", SECRET)]), "192.0.2.1");
        assert_eq!(network(&[("x-gatehouse-proxy", SECRET), ("cloudfront-viewer-address", "nonsense")]), "192.0.2.1");
        assert_eq!(TrustedProxy::new("True-Client-IP", "short").err(), Some(ProxyError::Secret));
        assert_eq!(TrustedProxy::new("two words", SECRET).err(), Some(ProxyError::Header));
    }

    #[test]
    fn of_a_list_the_last_counts_which_the_proxy_itself_has_seen() {
        let ours = ("x-gatehouse-proxy", SECRET);
        assert_eq!(network(&[ours, ("cloudfront-viewer-address", "203.0.113.9, 198.51.100.7")]), "198.51.100.7");
        let lines = [ours, ("cloudfront-viewer-address", "203.0.113.9"), ("cloudfront-viewer-address", "198.51.100.7")];
        assert_eq!(network(&lines), "198.51.100.7");
    }

    proptest! {
        #[test]
        fn an_address_is_read_however_a_proxy_writes_it(v4: u32, v6: u128, port: u16) {
            let (v4, v6) = (Ipv4Addr::from(v4), Ipv6Addr::from(v6));
            for text in [format!("{v4}"), format!("{v4}:{port}"), format!(" {v4} "), format!("::ffff:{v4}"), format!("[::ffff:{v4}]:{port}")] {
                prop_assert_eq!(address(&text).map(|ip| ip.to_canonical()), Some(IpAddr::V4(v4)), "{}", text);
            }
            let parts = v6.segments().map(|part| format!("{part:x}")).join(":");
            for text in [format!("{v6}"), format!("[{v6}]"), format!("[{v6}]:{port}"), format!("{v6}%eth0"), format!("{parts}:{port}")] {
                prop_assert_eq!(address(&text), Some(IpAddr::V6(v6)), "{}", text);
            }
        }

        #[test]
        fn no_text_is_too_strange(text: String) {
            let _ = address(&text);
        }
    }
}
