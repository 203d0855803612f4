//! Logs: one JSON object a line, as Lambda reads them (its level from `AWS_LAMBDA_LOG_LEVEL`).
//!
//! Lambda's own subscriber can filter by patterns, for which it links a regex engine; a level is enough here.

use tracing::level_filters::LevelFilter;

/// Sends what functions log to where Lambda takes it, with the time and the level that it looks for.
pub(crate) fn init() {
    let level = std::env::var("AWS_LAMBDA_LOG_LEVEL").ok().and_then(|level| level.parse().ok());
    let level: LevelFilter = level.unwrap_or(LevelFilter::INFO);
    tracing_subscriber::fmt().json().flatten_event(true).with_max_level(level).with_target(false).init();
}
