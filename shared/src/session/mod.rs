//! Sessions: a JWT says who, the person's record (read on every request) says whether still.
//!
//! Only `session` and `activate` hold the secret that signs. Each publishes its public key in the table, under
//! its thumbprint as `kid`; every function verifies with what is published. So a new secret signs nobody out.

mod ed25519;
mod keyring;
pub(crate) mod seal;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use ring::{digest, hkdf};
use serde::{Deserialize, Serialize};

pub use keyring::Keyring;

use crate::clock::{Clock, SignedDuration, Timestamp};
use crate::domain::{CompanyId, PersonId, SessionEnd, SessionId};
use crate::store::Person;

/// How long a session lasts at most: a working day (ASVS 5.0, 7.3.2).
pub const SESSION_LIFETIME: SignedDuration = SignedDuration::from_hours(12);

const ISSUER: &str = "gatehouse";

/// What a session token says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Claims {
    iss: String,
    /// Who.
    pub sub: PersonId,
    /// A contact's company: what is asked for is read beside the contact, and may lie in its company's inbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub com: Option<CompanyId>,
    /// Which session.
    pub jti: SessionId,
    iat: i64,
    exp: i64,
    /// The person's epoch at sign-in; it must still be the same.
    epoch: u32,
}

impl Claims {
    /// Whether the person may still use this session.
    #[must_use]
    pub fn accepted_by(&self, person: &Person) -> bool {
        person.id() == self.sub
            && person.company().is_some() == self.com.is_some()
            && person.access().is_active()
            && person.sessions().admits(self.jti, self.epoch)
    }

    /// This session, as one that its owner ends.
    #[must_use]
    pub fn end(&self) -> SessionEnd {
        SessionEnd { id: self.jti, until: Timestamp::from_second(self.exp).unwrap_or(Timestamp::MAX) }
    }
}

/// A session token is no session: forged, from elsewhere, or over.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// Its key is not among the published ones.
    #[error("the session's key is unknown")]
    UnknownKey,
    /// It is malformed, altered or signed otherwise.
    #[error("the session token is not valid")]
    Invalid,
    /// Its time is over.
    #[error("the session has ended")]
    Ended,
}

/// A new session.
#[derive(Debug)]
pub struct Issued {
    /// The token; whoever has it is signed in.
    pub token: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// The key that signs, for the functions that open sessions.
pub struct Signer {
    kid: String,
    x: String,
    key: EncodingKey,
    clock: Clock,
}

impl Signer {
    /// Derives the key pair from the deployment's secret (HKDF, RFC 5869).
    #[must_use]
    pub fn new(secret: &str, clock: Clock) -> Option<Self> {
        ed25519::install();
        let mut seed = [0; 32];
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"gatehouse session key, 1");
        salt.extract(secret.as_bytes()).expand(&[b"ed25519"], hkdf::HKDF_SHA256).ok()?.fill(&mut seed).ok()?;
        let pkcs8 = ed25519::pkcs8(&seed);
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&pkcs8).ok()?;
        let x = URL_SAFE_NO_PAD.encode(pair.public_key());
        // RFC 7638 thumbprint of the JWK (RFC 8037 appendix A.3).
        let jwk = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
        let kid = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, jwk.as_bytes()));
        Some(Self { kid, x, key: EncodingKey::from_ed_der(&pkcs8), clock })
    }

    /// Opens a session of a person whose credentials were checked.
    pub fn issue(&self, person: &Person) -> Result<Issued, SessionError> {
        let now = self.clock.now();
        let expires_at = now + SESSION_LIFETIME;
        let claims = Claims {
            iss: ISSUER.to_owned(),
            sub: person.id(),
            com: person.company(),
            jti: SessionId::new(now),
            iat: now.as_second(),
            exp: expires_at.as_second(),
            epoch: person.sessions().epoch,
        };
        let header = Header { kid: Some(self.kid.clone()), ..Header::new(Algorithm::EdDSA) };
        let token = jsonwebtoken::encode(&header, &claims, &self.key).map_err(|_| SessionError::Invalid)?;
        Ok(Issued { token, expires_at })
    }
}

#[cfg(feature = "signing")]
impl Signer {
    /// The signer of this deployment: asks Secrets Manager for the secret, and publishes the public key.
    pub async fn connect(env: &crate::aws::Env, keyring: &Keyring) -> Result<Self, SignerError> {
        use crate::aws::SigningSecret;
        let secret = match &env.signing {
            SigningSecret::Known(secret) => secret.clone(),
            SigningSecret::None => {
                return Err(SignerError::NoSecret("GATEHOUSE_SIGNING_SECRET_ARN is not set".to_owned()));
            }
            SigningSecret::SecretsManager { arn } => {
                let mut config = aws_sdk_secretsmanager::config::Builder::from(&env.aws);
                config.set_endpoint_url(env.endpoints.secrets_manager.clone());
                let config = config.build();
                let client = aws_sdk_secretsmanager::Client::from_conf(config);
                let answer = client.get_secret_value().secret_id(arn).send().await;
                let answer = answer.map_err(|error| {
                    SignerError::NoSecret(aws_sdk_secretsmanager::error::DisplayErrorContext(&error).to_string())
                })?;
                answer.secret_string.ok_or_else(|| SignerError::NoSecret("the secret holds no text".to_owned()))?
            }
        };
        let no_key = || SignerError::NoSecret("no key can be derived".to_owned());
        let signer = Self::new(&secret, env.clock.clone()).ok_or_else(no_key)?;
        keyring.publish(&signer).await?;
        Ok(signer)
    }
}

/// A function that signs cannot.
#[cfg(feature = "signing")]
#[derive(Debug, thiserror::Error)]
pub enum SignerError {
    /// The secret cannot be had.
    #[error("the signing secret: {0}")]
    NoSecret(String),
    /// The public key cannot be published.
    #[error(transparent)]
    Publish(#[from] crate::store::CommitError),
}

/// Reads a session token with the public key that its `kid` names.
fn verify(
    token: &str,
    public_key: impl FnOnce(&str) -> Option<String>,
    now: Timestamp,
) -> Result<Claims, SessionError> {
    ed25519::install();
    let header = jsonwebtoken::decode_header(token).map_err(|_| SessionError::Invalid)?;
    if header.alg != Algorithm::EdDSA {
        return Err(SessionError::Invalid);
    }
    let x = header.kid.as_deref().and_then(public_key).ok_or(SessionError::UnknownKey)?;
    let key = DecodingKey::from_ed_components(&x).map_err(|_| SessionError::Invalid)?;
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_issuer(&[ISSUER]);
    validation.set_required_spec_claims(&["iss", "sub", "exp"]);
    // The library asks the system for the time; ours comes from the clock, and is checked below.
    validation.validate_exp = false;
    let claims: Claims = jsonwebtoken::decode(token, &key, &validation).map_err(|_| SessionError::Invalid)?.claims;
    if claims.exp <= now.as_second() {
        return Err(SessionError::Ended);
    }
    Ok(claims)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ContactId, StaffId};

    fn claims(sub: PersonId) -> Claims {
        let now = Clock::default().now();
        let exp = (now + SESSION_LIFETIME).as_second();
        Claims { iss: ISSUER.to_owned(), sub, com: None, jti: SessionId::new(now), iat: now.as_second(), exp, epoch: 0 }
    }

    fn sign(signer: &Signer, header: &Header, claims: &Claims) -> String {
        jsonwebtoken::encode(header, claims, &signer.key).unwrap()
    }

    fn signer() -> Signer {
        Signer::new("a secret of a deployment", Clock::default()).unwrap()
    }

    #[test]
    fn a_session_verifies_with_the_published_key_and_no_other() {
        let (ours, theirs) = (signer(), Signer::new("another deployment's secret", Clock::default()).unwrap());
        let person = PersonId::Staff(StaffId::new(Timestamp::now()));
        let header = Header { kid: Some(ours.kid.clone()), ..Header::new(Algorithm::EdDSA) };
        let token = sign(&ours, &header, &claims(person));
        let published = |kid: &str| (kid == ours.kid).then(|| ours.x.clone());
        assert_eq!(verify(&token, published, Timestamp::now()).unwrap().sub, person);

        let forged = sign(&theirs, &header, &claims(person));
        assert!(matches!(verify(&forged, published, Timestamp::now()), Err(SessionError::Invalid)));
        assert!(matches!(verify(&token, |_| None, Timestamp::now()), Err(SessionError::UnknownKey)));
    }

    #[test]
    fn altered_tokens_and_other_algorithms_are_refused() {
        let ours = signer();
        let published = |_: &str| Some(ours.x.clone());
        let header = Header { kid: Some(ours.kid.clone()), ..Header::new(Algorithm::EdDSA) };
        let token = sign(&ours, &header, &claims(ContactId::new(Timestamp::now()).into()));
        let [head, body, mark] = token.split('.').collect::<Vec<_>>()[..] else { panic!("not a JWT") };
        let part = |json: &str| URL_SAFE_NO_PAD.encode(json);

        let none = part(&format!(r#"{{"alg":"none","kid":"{}"}}"#, ours.kid));
        let hs256 = part(&format!(r#"{{"alg":"HS256","kid":"{}"}}"#, ours.kid));
        let hmac = {
            let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &URL_SAFE_NO_PAD.decode(&ours.x).unwrap());
            URL_SAFE_NO_PAD.encode(ring::hmac::sign(&key, format!("{hs256}.{body}").as_bytes()))
        };
        for forged in [
            format!("{none}.{body}."),
            format!("{none}.{body}.{mark}"),
            format!("{hs256}.{body}.{hmac}"),
            format!("{head}.{body}."),
            format!("{head}.{}.{mark}", part(r#"{"iss":"gatehouse"}"#)),
            String::new(),
        ] {
            assert!(verify(&forged, published, Timestamp::now()).is_err(), "{forged} was taken for a session");
        }
        for at in 0..mark.len() {
            let mut flipped = mark.as_bytes().to_vec();
            flipped[at] = if flipped[at] == b'A' { b'B' } else { b'A' };
            let flipped = format!("{head}.{body}.{}", String::from_utf8(flipped).unwrap());
            // The last character carries four bits that mean nothing; a strict decoder refuses those too.
            assert!(verify(&flipped, published, Timestamp::now()).is_err());
        }
    }

    #[test]
    fn a_session_ends_with_its_time() {
        let ours = signer();
        let header = Header { kid: Some(ours.kid.clone()), ..Header::new(Algorithm::EdDSA) };
        let token = sign(&ours, &header, &claims(StaffId::new(Timestamp::now()).into()));
        let published = |_: &str| Some(ours.x.clone());
        let late = Timestamp::now() + SESSION_LIFETIME + SignedDuration::from_secs(1);
        assert!(matches!(verify(&token, published, late), Err(SessionError::Ended)));
    }
}
