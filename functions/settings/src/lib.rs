//! How the operator shows itself, and what goes for the whole portal: an admin sets it, the staff see it.

mod contract;
mod logo;

use gatehouse::aws::Env;
use gatehouse::domain::{
    Activity, ActivityKind, ActivityMonths, CompanyBytes, CompanyName, CustomerFileBytes, Email, FieldChange, Language,
    Logo, LogoType, PortalUrl, Right, Settings as Record, TimeZoneName, Visibility,
};
use gatehouse::event::StartError;
use gatehouse::http::{ApiRequest, ApiResponse, Function, Gate, Operator, Problem, json, retry_on_conflict};
use lambda_http::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_with::rust::double_option;
use tokio::try_join;

use logo::{Drawn, NewLogo};

pub use contract::contract;

/// The function.
pub struct Settings {
    gate: Gate,
    operator: String,
    portal_url: String,
}

/// What is not named stays as it is; `null` sets it back to what goes without saying.
#[derive(Deserialize, schemars::JsonSchema)]
#[schemars(rename = "ChangeSettings")]
#[serde(deny_unknown_fields)]
struct Change {
    #[serde(default, deserialize_with = "double_option::deserialize")]
    operator_name: Option<Option<CompanyName>>,
    #[serde(default, deserialize_with = "double_option::deserialize")]
    portal_url: Option<Option<PortalUrl>>,
    #[serde(default, deserialize_with = "double_option::deserialize")]
    support_email: Option<Option<Email>>,
    #[serde(default, deserialize_with = "double_option::deserialize")]
    time_zone: Option<Option<String>>,
    #[serde(default, deserialize_with = "double_option::deserialize")]
    share_visibility: Option<Option<Visibility>>,
    #[serde(default, deserialize_with = "double_option::deserialize")]
    languages: Option<Option<Vec<Language>>>,
    #[serde(default, deserialize_with = "double_option::deserialize")]
    retention_days: Option<Option<u32>>,
    #[serde(default, deserialize_with = "double_option::deserialize")]
    activity_months: Option<Option<ActivityMonths>>,
    #[serde(default, deserialize_with = "double_option::deserialize")]
    customer_file_bytes: Option<Option<CustomerFileBytes>>,
    #[serde(default, deserialize_with = "double_option::deserialize")]
    company_bytes: Option<Option<CompanyBytes>>,
    #[serde(default, deserialize_with = "double_option::deserialize")]
    logo: Option<Option<NewLogo>>,
}

#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "Settings")]
struct SettingsView {
    operator_name: String,
    portal_url: String,
    support_email: Option<Email>,
    time_zone: String,
    share_visibility: Visibility,
    languages: Vec<Language>,
    retention_days: Option<u32>,
    activity_months: ActivityMonths,
    /// The largest file that a customer puts there.
    customer_file_bytes: CustomerFileBytes,
    /// What the people of one company may have put there, awaited and stored.
    company_bytes: CompanyBytes,
    logo: Option<LogoView>,
}

#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "Logo")]
struct LogoView {
    content_type: LogoType,
    data: String,
}

impl Function for Settings {
    async fn connect(env: &Env) -> Result<Self, StartError> {
        let (operator, portal_url) = (env.operator.clone(), env.portal_url.clone());
        Ok(Self { gate: Gate::connect(env).await?, operator, portal_url })
    }

    async fn handle(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        match request.route() {
            "GET /v1/settings" => self.show(request).await,
            "PUT /v1/settings" => {
                // Nothing is drawn for whoever may not have it drawn, and it is drawn once.
                let admin = self.gate.staff(request, Right::ManageSettings).await?;
                let change = request.json()?;
                let logo = drawn(&change).await?;
                retry_on_conflict(|| self.change(&admin, &change, logo.as_ref())).await
            }
            _ => Err(Problem::not_found()),
        }
    }
}

impl Settings {
    async fn show(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let store = &self.gate.store;
        let read = async { try_join!(store.settings(), store.logo()) };
        let (_, (settings, logo)) = self.gate.staff_and(request, Right::ReadSettings, read).await?;
        self.view(settings, logo)
    }

    async fn change(&self, admin: &Operator, change: &Change, drawn: Option<&Drawn>) -> Result<ApiResponse, Problem> {
        let (store, now) = (&self.gate.store, self.gate.now());
        let (stored, logo) = try_join!(store.stored_settings(), store.logo())?;
        let (rev, was) = stored.map(|stored| (stored.rev, stored.record)).unzip();
        let was = was.unwrap_or_default();
        let mut settings = changed(was.clone(), change)?;
        let mut transaction = store.transaction();
        let logo = match (&change.logo, drawn) {
            (None, _) => logo,
            (Some(_), Some(drawn)) => {
                settings.logo = Some(drawn.hash.clone());
                transaction = transaction.logo(&drawn.logo);
                Some(drawn.logo.clone())
            }
            (Some(_), None) => {
                settings.logo = None;
                transaction = transaction.without_logo();
                None
            }
        };
        let fields = was.differing(&settings).into_iter().map(FieldChange::of);
        let activity = Activity::new(ActivityKind::SettingsChanged, admin.actor(), now).changed(fields);
        transaction = transaction.activity(&activity);
        transaction = match rev {
            Some(rev) => transaction.save(rev, &settings),
            None => transaction.create(&settings),
        };
        transaction.commit().await?;
        self.view(settings, logo)
    }

    /// As it is in effect: what nobody has set is as the portal was deployed.
    fn view(&self, settings: Record, logo: Option<Logo>) -> Result<ApiResponse, Problem> {
        let view = SettingsView {
            operator_name: settings.operator_name.map_or_else(|| self.operator.clone(), |set| set.to_string()),
            portal_url: settings.portal_url.map_or_else(|| self.portal_url.clone(), |set| set.to_string()),
            support_email: settings.support_email,
            time_zone: settings.time_zone.map_or_else(|| "UTC".to_owned(), |set| set.to_string()),
            share_visibility: settings.share_visibility,
            languages: settings.languages,
            retention_days: settings.retention_days,
            activity_months: settings.activity_months,
            customer_file_bytes: settings.customer_file_bytes,
            company_bytes: settings.company_bytes,
            logo: logo.map(|Logo { content_type, data, .. }| LogoView { content_type, data }),
        };
        json(StatusCode::OK, &view)
    }
}

async fn drawn(change: &Change) -> Result<Option<Drawn>, Problem> {
    let Some(Some(new)) = &change.logo else { return Ok(None) };
    logo::draw(new).await.map(Some).map_err(|refused| Problem::invalid_field("logo.data", refused))
}

fn changed(was: Record, change: &Change) -> Result<Record, Problem> {
    let mut settings = Record {
        operator_name: change.operator_name.clone().unwrap_or(was.operator_name),
        portal_url: change.portal_url.clone().unwrap_or(was.portal_url),
        support_email: change.support_email.clone().unwrap_or(was.support_email),
        share_visibility: change.share_visibility.map_or(was.share_visibility, Option::unwrap_or_default),
        activity_months: change.activity_months.map_or(was.activity_months, Option::unwrap_or_default),
        customer_file_bytes: change.customer_file_bytes.map_or(was.customer_file_bytes, Option::unwrap_or_default),
        company_bytes: change.company_bytes.map_or(was.company_bytes, Option::unwrap_or_default),
        ..was
    };
    if let Some(name) = &change.time_zone {
        let name = name.as_deref().map(str::parse::<TimeZoneName>).transpose();
        settings.time_zone = name.map_err(|wrong| Problem::invalid_field("time_zone", wrong))?;
    }
    if let Some(languages) = &change.languages {
        let languages = languages.clone().unwrap_or_else(Record::all_languages);
        let with = settings.with_languages(&languages);
        settings = with.map_err(|refused| Problem::invalid_field("languages", refused))?;
    }
    if let Some(days) = change.retention_days {
        let with = settings.with_retention(days);
        settings = with.map_err(|refused| Problem::invalid_field("retention_days", refused))?;
    }
    Ok(settings)
}
