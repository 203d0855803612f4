//! The whole of Gatehouse in one process: the real functions, the ordinary AWS clients, and behind those a
//! `DynamoDB`, an S3 and an SES of this machine. What is tested here is what is deployed.

mod background;
mod bucket;
mod control;
mod database;
mod demo;
mod functions;
mod gateway;
pub mod grants;
mod iam;
mod mailbox;
pub mod meter;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use axum::Router;
use gatehouse::aws::{Endpoints, Env, SigningSecret, sdk_config};
use gatehouse::clock::Clock;
use gatehouse_template::Template;
use tokio::net::TcpListener;
use tokio::sync::mpsc::unbounded_channel;
use tokio::task::JoinSet;

use background::Pause;
use bucket::Bucket;
use control::{Control, Ses};
use database::{Database, FED};
use functions::Functions;
use iam::{Guard, session_token};
use mailbox::Mailbox;
use meter::Meter;

pub use demo::fill;

const REGION: &str = "eu-central-1";
const ACCESS_KEY: &str = "local";
const SECRET_KEY: &str = "local-secret";
const TABLE: &str = "gatehouse";
const BUCKET: &str = "gatehouse-files";

/// The variables that Lambda sets for a function, as `.cargo/config.toml` has them. The SDK reads them from the process.
pub fn lambda_variables() -> Result<Vec<(String, String)>> {
    #[derive(serde::Deserialize)]
    struct Cargo {
        env: std::collections::BTreeMap<String, toml::Value>,
    }
    let cargo: Cargo = toml::from_str(include_str!("../../../.cargo/config.toml"))?;
    Ok(cargo.env.into_iter().filter_map(|(name, value)| Some((name, value.as_str()?.to_owned()))).collect())
}

/// How to start.
#[derive(Debug, Clone)]
pub struct Config {
    /// The gateway's port; S3 has the next one and `DynamoDB` the one after. 0 takes any that are free.
    pub port: u16,
    /// Where the data lives; nowhere lasting, if there is none.
    pub data_dir: Option<PathBuf>,
    /// Who is invited as the first admin.
    pub admin_email: String,
}

/// A running stack. It ends when it is dropped.
#[derive(Debug)]
pub struct Stack {
    /// Where the portal and its API are.
    pub url: String,
    /// Where `DynamoDB` is, for a look with the AWS command line.
    pub database_url: String,
    /// The time of everything in it.
    pub clock: Clock,
    /// What its functions ask of AWS.
    pub meter: Meter,
    /// The table itself, for a test that fills it faster than the API could.
    pub env: Env,
    functions: Arc<Functions>,
    guard: Guard,
    mailbox: Mailbox,
    pause: Pause,
    _tasks: JoinSet<()>,
    _temporary: Option<tempfile::TempDir>,
}

impl Stack {
    /// Starts everything, and comes back when everything answers.
    pub async fn start(config: Config) -> Result<Self> {
        Self::start_with(config, |_| {}).await
    }

    /// [`Self::start`] with functions whose environment is another one, as a deployment's parameters make it.
    pub async fn start_with(config: Config, deployed: impl FnOnce(&mut Env)) -> Result<Self> {
        let template = Template::of_workspace()?;
        let (clock, meter, guard) = (Clock::default(), Meter::default(), Guard::new(&template));
        let temporary = if config.data_dir.is_none() { Some(tempfile::tempdir()?) } else { None };
        let folder = config.data_dir.as_deref().or(temporary.as_ref().map(tempfile::TempDir::path));
        let folder = folder.context("there is no folder for the data")?;
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;

        let [gateway, s3, dynamodb] = listen(config.port).await?;
        let url = |listener: &TcpListener| listener.local_addr().map(|at| format!("http://{at}"));
        let (portal_url, s3_url, database_url) = (url(&gateway)?, url(&s3)?, url(&dynamodb)?);

        let mut tasks = JoinSet::new();
        let file = config.data_dir.is_some().then(|| folder.join("table.sqlite"));
        let database = Database::open(file.as_deref(), &template.table, clock.clone())?;
        tasks.spawn(database.clone().serve(dynamodb));
        let (mailbox, bounced) = Mailbox::open(&folder.join("mail"), clock.clone())?;
        let (bucket, created) = Bucket::open(&folder.join("files"), &template.bucket, &portal_url, clock.clone())?;
        tasks.spawn(serve(s3, bucket.clone().router(&guard)?));

        let endpoints = Endpoints {
            dynamodb: Some(database_url.clone()),
            s3: Some(s3_url),
            ses: Some(format!("{portal_url}/_local/ses")),
            secrets_manager: None,
        };
        let mut env = Env {
            aws: meter.watch(&sdk_config(REGION.to_owned(), credentials(None), &endpoints)?, &guard),
            endpoints,
            table: TABLE.to_owned(),
            bucket: BUCKET.to_owned(),
            portal_url: portal_url.clone(),
            operator: "Northgate Logistics".to_owned(),
            mail_from: "portal@northgate.example".to_owned(),
            mail_events: Some("gatehouse-mails".to_owned()),
            proxy: None,
            scan_uploads: false,
            signing: SigningSecret::Known(signing_secret(folder)?),
            clock: clock.clone(),
        };
        deployed(&mut env);

        // IAM knows a function by its session.
        let of_function = |name: &str| {
            let credentials = SharedCredentialsProvider::new(credentials(Some(session_token(name))));
            Env { aws: env.aws.to_builder().credentials_provider(credentials).build(), ..env.clone() }
        };
        // On the heap: each function's start is in it.
        let functions = Arc::new(Box::pin(functions::connect(of_function, &template)).await?);
        let ses = Ses { mailbox: mailbox.clone(), guard: guard.clone(), mail_from: env.mail_from.clone() };
        let control = Control::new(ses, clock.clone(), database.clone(), bucket.clone());
        let app = gateway::router(&template, Arc::clone(&functions))?.merge(control.clone().router());
        tasks.spawn(serve(gateway, app));
        tasks.spawn(control.keep_time());

        let pause = Pause::default();
        for (beginning, function) in FED {
            tasks.spawn(database.clone().feed(beginning, function, Arc::clone(&functions), pause.clone()));
        }
        // What is created is scanned, where that is asked for; a verdict takes its time as all events do.
        let (to_take, created_here) = unbounded_channel();
        let (to_note, scanned) = unbounded_channel();
        let scans = env.scan_uploads.then_some(to_note);
        tasks.spawn(bucket.scan(created, to_take, scans));
        tasks.spawn(background::bring(created_here, "finish-upload", Arc::clone(&functions), pause.clone()));
        tasks.spawn(background::bring(scanned, "record-scan", Arc::clone(&functions), pause.clone()));
        tasks.spawn(background::bring(bounced, "note-bounce", Arc::clone(&functions), pause.clone()));
        // Those that the stream feeds are swept more often than their schedules say.
        let is_fed = |function: &str| FED.iter().any(|(_, fed)| *fed == function);
        for function in template.functions.into_iter().filter(|function| !is_fed(&function.name)) {
            for schedule in function.schedules {
                let (name, functions) = (function.name.clone(), Arc::clone(&functions));
                tasks.spawn(background::keep(schedule, name, functions, clock.clone(), pause.clone()));
            }
        }

        let admin = serde_json::json!({ "email": config.admin_email, "name": "First Admin" });
        functions.invoke("first-admin", admin).await.context("there is no first admin")?;
        Ok(Self {
            url: portal_url,
            database_url,
            clock,
            meter,
            env,
            functions,
            guard,
            mailbox,
            pause,
            _tasks: tasks,
            _temporary: temporary,
        })
    }

    /// Hands an event to a function as Lambda would; gives back what the function does, an HTTP answer as
    /// `{"statusCode": …, "body": …}`. It runs in the future that this is: dropping that ends it where it stands, as
    /// a crash does. With [`Meter::stop_at`] and [`Meter::stop_after`] a test says where.
    pub async fn invoke(&self, function: &str, event: serde_json::Value) -> Result<serde_json::Value> {
        self.functions.invoke(function, event).await
    }

    /// What functions have asked of AWS without a grant of template.yaml, and what would grant it.
    #[must_use]
    pub fn refused_calls(&self) -> Vec<String> {
        self.guard.refused()
    }

    /// Holds back all that happens by itself, or lets it go on: the stream with its mails and tasks, sweeps,
    /// schedules, the bucket's events. A test that counts calls wants those of one request.
    pub fn pause_mail(&self, paused: bool) {
        self.pause.set(paused);
    }

    /// The newest activation link that was mailed to an address, once it has been.
    pub async fn activation_link(&self, to: &str) -> Option<String> {
        for _ in 0..200 {
            if let Some(link) = self.mailbox.link(to, "/activate#") {
                return Some(link);
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        None
    }
}

fn credentials(session_token: Option<String>) -> Credentials {
    Credentials::new(ACCESS_KEY, SECRET_KEY, session_token, None, "local")
}

async fn serve(listener: TcpListener, app: Router) {
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    if let Err(error) = axum::serve(listener, app).await {
        tracing::error!(%error, "a local server has ended");
    }
}

async fn listen(port: u16) -> Result<[TcpListener; 3]> {
    let bind = |offset: u16| async move {
        let port = if port == 0 { 0 } else { port + offset };
        TcpListener::bind(("127.0.0.1", port)).await.with_context(|| format!("port {port} is not free"))
    };
    Ok([bind(0).await?, bind(1).await?, bind(2).await?])
}

/// Made once and kept: a restart signs nobody out.
fn signing_secret(folder: &Path) -> Result<String> {
    let file = folder.join("signing-secret");
    if let Ok(secret) = std::fs::read_to_string(&file) {
        return Ok(secret);
    }
    let secret = gatehouse::domain::Token::random().reveal();
    std::fs::write(&file, &secret).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(secret)
}
