//! What each route takes and answers, and by what it refuses.

use gatehouse::http::Callers::{Anybody, People};
use gatehouse::http::{Operation, Received};

use crate::passwords::{Change, Reset, ResetRequest};
use crate::signing_in::SignIn;
use crate::unsubscribing::{Confirmed, OneClick, Unsubscribed};
use crate::{ChangeMe, Me, SignedIn};

/// The contract of this function's routes.
#[must_use]
pub fn contract() -> Vec<Operation> {
    vec![
        Operation::new(Anybody, "POST /v1/sessions", "signIn", "Signs in.")
            .takes::<SignIn>()
            .answers::<SignedIn>(201)
            .refuses(&["wrong_credentials"]),
        Operation::new(People, "DELETE /v1/sessions/current", "signOut", "Signs out.").answers_nothing(),
        Operation::new(People, "DELETE /v1/sessions", "signOutEverywhere", "Signs out everywhere.").answers_nothing(),
        Operation::new(
            Anybody,
            "POST /v1/password-resets",
            "requestPasswordReset",
            "Asks for a link to set a new password; the same answer whatever the address is.",
        )
        .takes::<ResetRequest>()
        .answers::<Received>(202),
        Operation::new(
            Anybody,
            "POST /v1/password-resets/confirm",
            "resetPassword",
            "Sets a new password by such a link, and opens a session.",
        )
        .takes::<Reset>()
        .answers::<SignedIn>(201)
        .refuses(&[
            "link_unknown",
            "link_expired",
            "link_used",
            "link_replaced",
            "link_withdrawn",
            "password_too_weak",
        ]),
        Operation::new(
            People,
            "PUT /v1/me/password",
            "changePassword",
            "Sets a new password by the old one, and opens a new session.",
        )
        .takes::<Change>()
        .answers::<SignedIn>(201)
        .refuses(&["wrong_credentials", "password_too_weak", "too_many_requests"]),
        Operation::new(People, "GET /v1/me", "getMe", "Shows who is signed in.").answers::<Me>(200),
        Operation::new(People, "PATCH /v1/me", "changeMe", "Changes the caller's own name, language and mails.")
            .takes::<ChangeMe>()
            .answers::<Me>(200),
        Operation::new(
            Anybody,
            "POST /v1/unsubscribe/{token}",
            "unsubscribe",
            "Turns mails about shares off (RFC 8058).",
        )
        .takes::<Confirmed>()
        .takes_as::<OneClick>("application/x-www-form-urlencoded")
        .takes_as::<OneClick>("multipart/form-data")
        .answers::<Unsubscribed>(200)
        .refuses(&["link_unknown"]),
    ]
}
