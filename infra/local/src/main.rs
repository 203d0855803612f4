//! `cargo run`: Gatehouse on this machine.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};
use clap::Parser;
use gatehouse_local::{Config, Stack, fill, lambda_variables};
use tracing_subscriber::EnvFilter;

/// Gatehouse on this machine: gateway, table, bucket and mailbox in one process, on loopback.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Where the portal listens; S3 takes the next port, DynamoDB the one after.
    #[arg(long, default_value_t = 9000)]
    port: u16,
    /// Where the data lives.
    #[arg(long, default_value = ".gatehouse")]
    data_dir: PathBuf,
    /// Begin with nothing: the data folder is emptied.
    #[arg(long)]
    fresh: bool,
    /// Fill it with an operator's customers, contacts and shares.
    #[arg(long)]
    demo: bool,
    /// Scan what is uploaded: EICAR's text is found, and what is locked with a password is not looked into.
    #[arg(long)]
    scan_uploads: bool,
    /// Who is invited as the first admin.
    #[arg(long, default_value = "admin@example.com")]
    admin_email: String,
}

fn main() -> Result<()> {
    as_on_lambda()?;
    run()
}

/// Starts this program anew with the variables that Lambda sets, where `cargo run` has not: the SDK reads them from the
/// process.
fn as_on_lambda() -> Result<()> {
    let missing: Vec<_> =
        lambda_variables()?.into_iter().filter(|(name, _)| std::env::var_os(name).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let mut again = Command::new(std::env::current_exe()?);
    let error = again.args(std::env::args_os().skip(1)).envs(missing).exec();
    Err(error).context("the program cannot be started with the variables that Lambda sets")
}

#[tokio::main]
async fn run() -> Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,dynoxide=error"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let arguments = Arguments::parse();
    if arguments.fresh && arguments.data_dir.exists() {
        std::fs::remove_dir_all(&arguments.data_dir).context("the data folder cannot be emptied")?;
    }
    let (admin, data_dir) = (arguments.admin_email, Some(arguments.data_dir));
    let config = Config { port: arguments.port, data_dir, admin_email: admin.clone() };
    let stack = Stack::start_with(config, |env| env.scan_uploads = arguments.scan_uploads).await?;
    let demo = if arguments.demo { fill(&stack, &admin).await? } else { None };

    // Whoever started this may have stopped reading; that is no reason to stop.
    let say = |line: String| drop(writeln!(std::io::stdout(), "{line}"));
    say(format!("Gatehouse is ready at {}", stack.url));
    say(format!("  mailbox      {}/_local/mail", stack.url));
    say(format!("  DynamoDB     {} (table gatehouse)", stack.database_url));
    match demo {
        Some(sign_in) => say(format!("  sign in      {sign_in}")),
        None => {
            if let Some(link) = stack.activation_link(&admin).await {
                say(format!("  first admin  {admin}, invited by {link}"));
            }
        }
    }
    tokio::signal::ctrl_c().await.context("no signal can be awaited")?;
    Ok(())
}
