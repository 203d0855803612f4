//! What each route takes and answers, and by what it refuses.

use gatehouse::domain::Right;
use gatehouse::http::Callers::Staff;
use gatehouse::http::Operation;

use crate::{Change, SettingsView};

/// The contract of this function's routes.
#[must_use]
pub fn contract() -> Vec<Operation> {
    vec![
        Operation::new(Staff(Right::ReadSettings), "GET /v1/settings", "getSettings", "Shows the settings.")
            .answers::<SettingsView>(200),
        Operation::new(
            Staff(Right::ManageSettings),
            "PUT /v1/settings",
            "changeSettings",
            "Changes settings; what is not named stays.",
        )
        .takes::<Change>()
        .answers::<SettingsView>(200),
    ]
}
