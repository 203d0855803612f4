//! What an admin of the operator sets, beside what was set when the portal was deployed.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::tz::TimeZone;
use ring::digest;
use serde::{Deserialize, Serialize};
use serde_with::{DeserializeFromStr, SerializeDisplay};
use url::{Host, Url};

use super::{CompanyBytes, CompanyName, CustomerFileBytes, Email, Language, TextError, Visibility};

/// The settings of the portal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// What the operator is called, where that is another name than at deployment.
    pub operator_name: Option<CompanyName>,
    /// Where customers find the portal, where that is another place than at deployment.
    pub portal_url: Option<PortalUrl>,
    /// Whom customers ask for help.
    pub support_email: Option<Email>,
    /// Where the operator is: times in mails are that place's.
    #[serde(default)]
    pub time_zone: Option<TimeZoneName>,
    /// What a contact sees beyond its own shares.
    #[serde(default)]
    pub share_visibility: Visibility,
    /// The languages that people may choose.
    #[serde(default = "Settings::all_languages")]
    pub languages: Vec<Language>,
    /// How many days after its end a share is removed for good; never, if there is no number.
    pub retention_days: Option<u32>,
    /// How many months activity is kept, whole months and the present one.
    #[serde(default)]
    pub activity_months: ActivityMonths,
    /// The largest file that a customer puts into a share.
    #[serde(default)]
    pub customer_file_bytes: CustomerFileBytes,
    /// What the people of one company may have in the portal, awaited and stored.
    #[serde(default)]
    pub company_bytes: CompanyBytes,
    /// The hash of the logo, if there is one: whoever keeps a copy knows by it whether that is still the one.
    pub logo: Option<String>,
}

/// As long as nobody has set any.
impl Default for Settings {
    fn default() -> Self {
        Self {
            operator_name: None,
            portal_url: None,
            support_email: None,
            time_zone: None,
            share_visibility: Visibility::default(),
            languages: Self::all_languages(),
            retention_days: None,
            activity_months: ActivityMonths::default(),
            customer_file_bytes: CustomerFileBytes::default(),
            company_bytes: CompanyBytes::default(),
            logo: None,
        }
    }
}

/// Why a setting was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingRefused {
    /// Nobody could choose any.
    #[error("must name at least one language")]
    NoLanguage,
    /// A language that nobody has written mails in.
    #[error("mails are not written in \"{0}\"")]
    Language(Language),
    /// Shares would go at once, or so late that a number says nothing.
    #[error("must be from 1 to {} days, or null to keep shares", Settings::LONGEST_RETENTION)]
    Retention,
}

impl Settings {
    /// The most days that a share may be kept after its end: ten years.
    pub const LONGEST_RETENTION: u32 = 3650;

    /// The names of the settings that are others there.
    #[must_use]
    pub fn differing(&self, other: &Self) -> Vec<&'static str> {
        let differs = [
            ("operator_name", self.operator_name != other.operator_name),
            ("portal_url", self.portal_url != other.portal_url),
            ("support_email", self.support_email != other.support_email),
            ("time_zone", self.time_zone != other.time_zone),
            ("share_visibility", self.share_visibility != other.share_visibility),
            ("languages", self.languages != other.languages),
            ("retention_days", self.retention_days != other.retention_days),
            ("activity_months", self.activity_months != other.activity_months),
            ("customer_file_bytes", self.customer_file_bytes != other.customer_file_bytes),
            ("company_bytes", self.company_bytes != other.company_bytes),
            ("logo", self.logo != other.logo),
        ];
        differs.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
    }

    /// The languages that mails are written in.
    #[must_use]
    pub fn all_languages() -> Vec<Language> {
        ["en", "de", "fr", "nl", "es"].iter().filter_map(|tag| tag.parse().ok()).collect()
    }

    /// With other languages to choose from, each once and in the order of all.
    pub fn with_languages(mut self, chosen: &[Language]) -> Result<Self, SettingRefused> {
        let all = Self::all_languages();
        if let Some(unknown) = chosen.iter().find(|language| !all.contains(language)) {
            return Err(SettingRefused::Language(unknown.clone()));
        }
        self.languages = all.into_iter().filter(|language| chosen.contains(language)).collect();
        if self.languages.is_empty() { Err(SettingRefused::NoLanguage) } else { Ok(self) }
    }

    /// With another time after which shares are removed.
    pub fn with_retention(self, days: Option<u32>) -> Result<Self, SettingRefused> {
        let known = days.is_none_or(|days| (1..=Self::LONGEST_RETENTION).contains(&days));
        if known { Ok(Self { retention_days: days, ..self }) } else { Err(SettingRefused::Retention) }
    }
}

/// How many months activity is kept: a quarter to ten years, by default two years and the month in which they end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "i32", into = "i32")]
pub struct ActivityMonths(i32);

impl Default for ActivityMonths {
    fn default() -> Self {
        Self(25)
    }
}

impl TryFrom<i32> for ActivityMonths {
    type Error = &'static str;

    fn try_from(months: i32) -> Result<Self, Self::Error> {
        if (3..=120).contains(&months) { Ok(Self(months)) } else { Err("must be from 3 to 120 months") }
    }
}

impl schemars::JsonSchema for ActivityMonths {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ActivityMonths".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "description": "How many months activity is kept.", "type": "integer", "minimum": 3, "maximum": 120 })
    }
}

impl From<ActivityMonths> for i32 {
    fn from(months: ActivityMonths) -> Self {
        months.0
    }
}

/// A time zone by its name in the tz database of IANA: `Europe/Berlin`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TimeZoneName(String);

impl TimeZoneName {
    /// The zone of that name; UTC, should a later tz database no longer have it.
    #[must_use]
    pub fn zone(&self) -> TimeZone {
        TimeZone::get(&self.0).unwrap_or(TimeZone::UTC)
    }
}

impl FromStr for TimeZoneName {
    type Err = TextError;

    /// Case does not matter; the name is kept as the database writes it.
    fn from_str(text: &str) -> Result<Self, TextError> {
        let zone = TimeZone::get(text.trim()).ok();
        let name = zone.as_ref().and_then(TimeZone::iana_name);
        name.map(|name| Self(name.to_owned()))
            .ok_or(TextError::Form("must be a time zone such as \"Europe/Berlin\" (IANA)"))
    }
}

impl fmt::Display for TimeZoneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no address of a portal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PortalUrlError {
    /// No URL at all.
    #[error("is no URL: {0}")]
    Malformed(url::ParseError),
    /// Links with tokens in them must not travel in the clear.
    #[error("must begin with https://")]
    Insecure,
    /// More than a scheme and a host: paths are put behind it.
    #[error("must be https:// and a host alone, such as https://portal.example.com, without a slash at its end")]
    NotBare,
}

/// Whether a URL names the loopback interface, to which no other machine listens.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// A character of a host's name, in any script.
fn of_a_host(c: char) -> bool {
    c.is_alphanumeric() || c == '-'
}

/// Where customers find the portal: a scheme and a host, to put paths behind.
#[derive(Debug, Clone, PartialEq, Eq, SerializeDisplay, DeserializeFromStr)]
pub struct PortalUrl(String);

crate::schema::of_text!(PortalUrl, "Where customers find the portal: a scheme and a host.", { "format": "uri" });

impl FromStr for PortalUrl {
    type Err = PortalUrlError;

    fn from_str(text: &str) -> Result<Self, PortalUrlError> {
        let text = text.trim();
        let url = Url::parse(text).map_err(PortalUrlError::Malformed)?;
        if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(&url)) {
            return Err(PortalUrlError::Insecure);
        }
        // The parser repairs much in silence; what is shown to customers in mails is written as it is meant.
        let bare = text.split_once("://").is_some_and(|(_, rest)| {
            let port = rest.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
            let host = port.map_or(rest, |(host, _)| host);
            let named = || host.split('.').all(|label| !label.is_empty() && label.chars().all(of_a_host));
            host.starts_with('[') && host.ends_with(']') || named()
        });
        if bare { Ok(Self(url.origin().ascii_serialization())) } else { Err(PortalUrlError::NotBare) }
    }
}

impl fmt::Display for PortalUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What kind of picture a logo is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum LogoType {
    /// Pixels.
    #[serde(rename = "image/png")]
    Png,
    /// Shapes.
    #[serde(rename = "image/svg+xml")]
    Svg,
}

/// The operator's logo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logo {
    /// What kind of picture it is.
    pub content_type: LogoType,
    /// The image, in base64.
    pub data: String,
    /// The same as a PNG, in base64: mail clients show no SVG.
    pub png: String,
}

impl Logo {
    /// A picture, and the same as a PNG.
    #[must_use]
    pub fn new(content_type: LogoType, data: &[u8], png: &[u8]) -> Self {
        Self { content_type, data: STANDARD.encode(data), png: STANDARD.encode(png) }
    }

    /// By what [`Settings::logo`] names the logo with that PNG.
    #[must_use]
    pub fn hash(png: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, png))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_portal_is_a_scheme_and_a_host() {
        for (text, is) in [
            ("https://portal.example.com", "https://portal.example.com"),
            ("https://Portal.Example.com:443", "https://portal.example.com"),
            (" https://portal.example.com:8443 ", "https://portal.example.com:8443"),
            ("https://münchen.example", "https://xn--mnchen-3ya.example"),
            ("http://localhost:9000", "http://localhost:9000"),
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
            ("http://[::1]:9000", "http://[::1]:9000"),
        ] {
            assert_eq!(text.parse::<PortalUrl>().map(|url| url.to_string()).as_deref(), Ok(is));
        }
    }

    #[test]
    fn what_is_more_or_less_than_that_says_why() {
        use PortalUrlError::{Insecure, Malformed, NotBare};
        for (text, insecure) in [
            ("http://portal.example.com", true),
            ("http://localhost.example.com", true),
            ("http://127.0.0.1.example.com", true),
            ("ftp://portal.example.com", true),
            ("javascript:alert(1)", true),
            ("https://portal.example.com/", false),
            ("https://portal.example.com/app", false),
            ("https://portal.example.com?a=b", false),
            ("https://portal.example.com#a", false),
            ("https://bank.example@portal.example.com", false),
            ("https://portal.example.com\\@bank.example", false),
            ("https://portal.exa\nmple.com", false),
            ("https:portal.example.com", false),
        ] {
            let refused = text.parse::<PortalUrl>().unwrap_err();
            assert_eq!(refused, if insecure { Insecure } else { NotBare }, "{text:?}");
        }
        for text in ["", "portal.example.com", "https://", "https://a b.example"] {
            assert!(matches!(text.parse::<PortalUrl>(), Err(Malformed(_))), "{text:?}");
        }
    }

    #[test]
    fn a_time_zone_is_one_of_the_tz_database() {
        for (text, name) in [("Europe/Berlin", "Europe/Berlin"), (" europe/berlin ", "Europe/Berlin"), ("UTC", "UTC")] {
            assert_eq!(text.parse::<TimeZoneName>().unwrap().to_string(), name);
        }
        for text in ["", "Berlin", "CET+1", "+02:00", "Europe/Berlin\n", "../../etc/passwd"] {
            assert!(text.parse::<TimeZoneName>().is_err() || text.trim() != text, "{text:?}");
        }
    }

    #[test]
    fn languages_are_some_of_those_that_mails_are_written_in() {
        let tags = |tags: &[&str]| tags.iter().map(|tag| tag.parse().unwrap()).collect::<Vec<Language>>();
        let chosen = Settings::default().with_languages(&tags(&["fr", "en", "fr"])).unwrap();
        assert_eq!(chosen.languages, tags(&["en", "fr"]));
        assert_eq!(Settings::default().with_languages(&[]), Err(SettingRefused::NoLanguage));
        let refused = Settings::default().with_languages(&tags(&["en", "tlh"]));
        assert_eq!(refused.unwrap_err().to_string(), "mails are not written in \"tlh\"");
    }

    #[test]
    fn shares_are_kept_a_day_to_ten_years_or_for_good() {
        for (days, good) in [(Some(0), false), (Some(1), true), (Some(3650), true), (Some(3651), false), (None, true)] {
            assert_eq!(Settings::default().with_retention(days).is_ok(), good, "{days:?}");
        }
    }
}
