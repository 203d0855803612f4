//! Mails to the staff about what others do: one at once, and what comes soon after it in one more.

use std::fmt;
use std::str::FromStr;

use crate::clock::Timestamp;
use serde::{Deserialize, Serialize};
use serde_with::{DeserializeFromStr, SerializeDisplay};

use super::{CompanyId, IdError, NOTIFICATION_INTERVAL, StaffId, StaffNews};

/// More than this is counted, and not listed: it is one item of the table, and one mail.
const MOST_LISTED: usize = 100;

/// What the topic of finds begins with.
const WITHHELD: &str = "withheld#";

/// About what mails are bundled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, SerializeDisplay, DeserializeFromStr)]
pub enum BundleTopic {
    /// What a customer sends.
    Customer(CompanyId),
    /// What a scan finds in that: told at once, whatever else has come from it.
    Withheld(CompanyId),
    /// Requests for access.
    Registrations,
}

impl fmt::Display for BundleTopic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Customer(company) => company.fmt(f),
            Self::Withheld(company) => write!(f, "{WITHHELD}{company}"),
            Self::Registrations => f.write_str("registrations"),
        }
    }
}

impl FromStr for BundleTopic {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        match text.strip_prefix(WITHHELD) {
            Some(company) => company.parse().map(Self::Withheld),
            None if text == "registrations" => Ok(Self::Registrations),
            None => text.parse().map(Self::Customer),
        }
    }
}

/// What one of the staff was told about one topic, and what waits to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    /// Who.
    pub staff: StaffId,
    /// About what.
    pub topic: BundleTopic,
    /// When the last mail about it was written.
    pub mailed_at: Option<Timestamp>,
    /// What has come since, oldest first.
    pub waiting: Vec<StaffNews>,
    /// How much more than that.
    pub more: u64,
}

/// When something is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Telling {
    /// By a mail of its own.
    Now,
    /// By a further mail, which is to be written for then.
    Later(Timestamp),
    /// By a further mail that is written already.
    WithOthers,
}

impl Bundle {
    /// Nothing was told yet.
    #[must_use]
    pub fn new(staff: StaffId, topic: BundleTopic) -> Self {
        Self { staff, topic, mailed_at: None, waiting: Vec::new(), more: 0 }
    }

    /// Something is to be told: at once if nothing was lately, else together with what else comes until then.
    #[must_use]
    pub fn with(mut self, news: StaffNews, now: Timestamp) -> (Self, Telling) {
        let next = self.mailed_at.map(|at| at + NOTIFICATION_INTERVAL).filter(|next| *next > now);
        let telling = match next {
            _ if !self.waiting.is_empty() => Telling::WithOthers,
            Some(next) => Telling::Later(next),
            None => {
                self.mailed_at = Some(now);
                return (self, Telling::Now);
            }
        };
        if self.waiting.len() < MOST_LISTED {
            self.waiting.push(news);
        } else {
            self.more += 1;
        }
        (self, telling)
    }

    /// What has gathered is told now: the bundle without it, what it was, and how much more.
    #[must_use]
    pub fn told(mut self, now: Timestamp) -> (Self, Vec<StaffNews>, u64) {
        let (news, more) = (std::mem::take(&mut self.waiting), std::mem::take(&mut self.more));
        self.mailed_at = Some(now);
        (self, news, more)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SignedDuration;
    use crate::domain::RegistrationId;
    use proptest::prelude::*;

    fn asked(n: i64) -> StaffNews {
        let registration = RegistrationId::new(Timestamp::UNIX_EPOCH + SignedDuration::from_secs(n));
        StaffNews::AccessRequested { registration, name: "Ann".parse().unwrap(), company: "Harbour".parse().unwrap() }
    }

    proptest! {
        /// However things come, each is told once, and no two mails are nearer than the interval.
        #[test]
        fn nothing_is_lost_and_mails_keep_their_distance(gaps in proptest::collection::vec(0_i64..900, 1..300)) {
            let start = Timestamp::UNIX_EPOCH;
            let mut bundle = Bundle::new(StaffId::new(start), BundleTopic::Registrations);
            let (mut now, mut due, mut told, mut mails) = (start, None, 0, Vec::new());
            for (n, gap) in (0..).zip(&gaps) {
                now += SignedDuration::from_secs(*gap);
                if let Some(at) = due.filter(|at| *at <= now) {
                    let (rest, news, more) = bundle.told(at);
                    told += news.len() as u64 + more;
                    mails.push(at);
                    (bundle, due) = (rest, None);
                }
                let (with, telling) = bundle.with(asked(n), now);
                bundle = with;
                match telling {
                    Telling::Now => { told += 1; mails.push(now); }
                    Telling::Later(at) => { prop_assert_eq!(due, None); due = Some(at); }
                    Telling::WithOthers => prop_assert!(due.is_some()),
                }
            }
            if due.is_some() {
                let (_, news, more) = bundle.told(now);
                told += news.len() as u64 + more;
            }
            prop_assert_eq!(told, gaps.len() as u64);
            prop_assert!(mails.windows(2).all(|two| two[0] + NOTIFICATION_INTERVAL <= two[1]));
        }
    }

    #[test]
    fn a_topic_survives_its_key() {
        let company = CompanyId::new(Timestamp::UNIX_EPOCH);
        for topic in [BundleTopic::Registrations, BundleTopic::Customer(company), BundleTopic::Withheld(company)] {
            assert_eq!(topic.to_string().parse::<BundleTopic>(), Ok(topic));
        }
    }
}
