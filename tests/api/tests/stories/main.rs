//! What people do with the portal, told through its HTTP API.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a story that cannot go on ends")]

mod access;
mod accounts;
mod activating;
mod addresses;
mod areas;
mod bundling;
mod busy;
mod contract;
mod cost;
mod customers;
mod delivering;
mod drafts;
mod events;
mod files;
mod finding;
mod folders;
mod granted;
mod guessing;
mod history;
mod idempotency;
mod inviting;
mod letterhead;
mod links;
mod mailing;
mod merging;
mod office;
mod on_lambda;
mod owners;
mod previews;
mod reaching;
mod recipients;
mod records;
mod registering;
mod requests;
mod returning;
mod searching;
mod settings;
mod sharing;
mod signing_in;
mod staff;
mod strangers_text;
mod thumbnails;
mod unsubscribing;
mod uploads;
