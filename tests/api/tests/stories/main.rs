//! What people do with the portal, told through its HTTP API.

mod activating;
mod cost;
mod customers;
mod events;
mod inviting;
mod mailing;
mod requests;
mod sharing;
mod signing_in;
