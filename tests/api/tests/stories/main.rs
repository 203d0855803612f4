//! What people do with the portal, told through its HTTP API.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a story that cannot go on ends")]

mod activating;
mod cost;
mod customers;
mod events;
mod inviting;
mod mailing;
mod requests;
mod sharing;
mod signing_in;
