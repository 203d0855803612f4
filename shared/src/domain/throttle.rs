//! Against guessing and flooding: what goes free, how long the next attempt waits, what is forgotten and when. The
//! numbers stand in `docs/operating.md`, too.

use crate::clock::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Failures in a row are forgotten after this long without one.
const ROW_ENDS: SignedDuration = SignedDuration::from_hours(24);
/// So many failures of one row go free; the wait doubles with each one after them.
const FREE_IN_A_ROW: u32 = 5;
/// No wait of a row is longer than this before the hundredth failure.
const LONGEST_WAIT_S: i64 = 15 * 60;
/// From here on a row must end by itself, or by a password reset (NIST SP 800-63B-4, 3.2.2).
const MOST_IN_A_ROW: u32 = 100;

/// A network or a device is known this long after its owner signed in there.
pub const KNOWN_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// So many failures of one network go free: a whole office may mistype at the same moment.
const FREE_OF_A_NETWORK: u32 = 50;
/// Unknown links of one network: nobody mistypes a link that is clicked, and one that is known never waits.
const FREE_LINKS: u32 = 20;
/// A network forgets one failure in this time.
const NETWORK_FORGETS_S: i64 = 10 * 60;
/// One network may be a thousand people: whoever is new there waits this long at most.
const NETWORK_WAIT_S: i64 = 30;

/// Requests of one network that are heard at once; as many come back in an hour.
const REQUESTS_OF_A_NETWORK: u32 = 60;

/// Wrong passwords in a row: for an account, or for an account from one network or device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempts {
    /// How many failed, with those that are under way.
    #[serde(default)]
    failures: u32,
    /// When the last one was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_at: Option<Timestamp>,
    /// Until when the owner is known by this network or device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    known_until: Option<Timestamp>,
}

impl Attempts {
    /// Whether the owner has signed in here lately.
    #[must_use]
    pub fn known(&self, now: Timestamp) -> bool {
        self.known_until.is_some_and(|until| until > now)
    }

    /// Failures in a row, as far as they are not forgotten.
    #[must_use]
    pub fn failures(&self, now: Timestamp) -> u32 {
        if self.last_at.is_some_and(|at| at + ROW_ENDS > now) { self.failures } else { 0 }
    }

    /// Until when the next attempt waits, if it does.
    #[must_use]
    pub fn blocked_until(&self, now: Timestamp) -> Option<Timestamp> {
        let failures = self.failures(now);
        let wait = match failures.checked_sub(FREE_IN_A_ROW)? {
            _ if failures >= MOST_IN_A_ROW => ROW_ENDS,
            over => SignedDuration::from_secs((1_i64 << over.min(20)).min(LONGEST_WAIT_S)),
        };
        self.last_at.map(|at| at + wait).filter(|until| *until > now)
    }

    /// Counts an attempt before it is made, as if it will fail: a burst gets no further than a row.
    #[must_use]
    pub fn attempted(self, now: Timestamp) -> Self {
        Self { failures: self.failures(now).saturating_add(1), last_at: Some(now), ..self }
    }

    /// When nothing of it counts any more.
    #[must_use]
    pub fn forgotten_at(&self) -> Option<Timestamp> {
        self.last_at.map(|at| at + ROW_ENDS).max(self.known_until)
    }

    /// How many of the failures a network still remembers, which forgets one by one.
    fn remembered_by_network(&self, now: Timestamp) -> u32 {
        let since = self.last_at.map_or(i64::MAX, |at| now.as_second().saturating_sub(at.as_second()));
        let forgotten = u32::try_from(since / NETWORK_FORGETS_S).unwrap_or(u32::MAX);
        self.failures(now).saturating_sub(forgotten)
    }
}

/// A leaky bucket: it fills by one for each thing counted, and empties steadily. One number says all of it, so that many
/// are counted at once without reading before writing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// When it will be empty, in seconds since 1970.
    #[serde(default)]
    pub empty_at: i64,
    /// When the last thing was counted, in milliseconds since 1970.
    #[serde(default)]
    pub last_at: i64,
}

/// What a bucket counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BucketOf {
    /// Wrong passwords from one network, of those who are new there.
    SignIns,
    /// Unknown links from one network.
    Links,
    /// Resets, registrations, renewals and requests for access from one network.
    Requests,
}

impl BucketOf {
    /// In how many seconds one thing is forgotten.
    #[must_use]
    pub fn step(self) -> i64 {
        match self {
            Self::SignIns | Self::Links => NETWORK_FORGETS_S,
            Self::Requests => 3600 / i64::from(REQUESTS_OF_A_NETWORK),
        }
    }

    fn free(self) -> u32 {
        match self {
            Self::SignIns => FREE_OF_A_NETWORK,
            Self::Links => FREE_LINKS,
            Self::Requests => REQUESTS_OF_A_NETWORK,
        }
    }
}

impl Bucket {
    /// How much is in it.
    fn level(&self, of: BucketOf, now: Timestamp) -> u32 {
        let left = self.empty_at.saturating_sub(now.as_second()).max(0);
        u32::try_from(left.saturating_add(of.step() - 1) / of.step()).unwrap_or(u32::MAX)
    }

    /// Whether what goes free is used up: then one is let through after each wait, and no more.
    #[must_use]
    pub fn full(&self, of: BucketOf, now: Timestamp) -> bool {
        self.level(of, now) >= of.free()
    }

    /// Until when one more waits, if it does.
    #[must_use]
    pub fn blocked_until(&self, of: BucketOf, now: Timestamp) -> Option<Timestamp> {
        let over = self.level(of, now).checked_sub(of.free())?;
        let until = match of {
            BucketOf::SignIns | BucketOf::Links => {
                let wait = SignedDuration::from_secs((1_i64 << over.min(20)).min(NETWORK_WAIT_S));
                Timestamp::from_millisecond(self.last_at).unwrap_or(Timestamp::MAX) + wait
            }
            // Until one has come back.
            BucketOf::Requests => {
                let one_free = self.empty_at.saturating_sub(i64::from(of.free() - 1) * of.step());
                Timestamp::from_second(one_free).unwrap_or(now)
            }
        };
        Some(until).filter(|until| *until > now)
    }
}

/// All that is counted of one who tries to sign in.
#[derive(Debug, Clone, Copy, Default)]
pub struct SignInCounts {
    /// The account, over all networks and devices where its owner is not known.
    pub account: Attempts,
    /// The account from this network.
    pub from_network: Attempts,
    /// The account from this device, if the browser said which it is.
    pub from_device: Option<Attempts>,
    /// This network, over all accounts that are not known there.
    pub network: Bucket,
}

/// By what an attempt is let through, and so what counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownBy {
    /// The owner has signed in with this device: it alone counts, whatever others do on the same network.
    Device,
    /// The owner has signed in from this network: others there count with it, others elsewhere do not.
    Network,
    /// Neither: it counts for the account as a whole and for the network as well.
    Nothing,
}

impl SignInCounts {
    /// Whether the next attempt is let through, or until when it waits. Whoever is signed in is known.
    pub fn admit(&self, now: Timestamp, signed_in: bool) -> Result<KnownBy, Timestamp> {
        let device = self.from_device.filter(|device| device.known(now));
        let (known_by, blocked) = match device {
            Some(device) => (KnownBy::Device, device.blocked_until(now)),
            None if signed_in || self.from_network.known(now) => {
                (KnownBy::Network, self.from_network.blocked_until(now))
            }
            None => {
                let rows = self.account.blocked_until(now).max(self.from_network.blocked_until(now));
                (KnownBy::Nothing, rows.max(self.network.blocked_until(BucketOf::SignIns, now)))
            }
        };
        blocked.map_or(Ok(known_by), Err)
    }

    /// Failures in a row with the attempt that is under way.
    #[must_use]
    pub fn in_a_row(&self, known_by: KnownBy, now: Timestamp) -> u32 {
        let counted = match known_by {
            KnownBy::Device => self.from_device.unwrap_or_default(),
            KnownBy::Network => self.from_network,
            KnownBy::Nothing => self.account,
        };
        counted.failures(now) + 1
    }

    /// What the owner's own mistakes from this network have added, and its success takes back: from the account with
    /// the attempt itself, and from the network. What others have added stays.
    #[must_use]
    pub fn forgiven(&self, now: Timestamp) -> (u32, u32) {
        (self.from_network.failures(now).saturating_add(1), self.from_network.remembered_by_network(now))
    }
}

/// The times of what was done in the last hour: a window that slides, so that no turn of an hour doubles it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HourlyLimit {
    times: Vec<Timestamp>,
}

impl HourlyLimit {
    const HOUR: SignedDuration = SignedDuration::from_hours(1);

    /// Counts one more, or says when one more is possible. What is refused is not counted.
    pub fn take(&self, most: usize, now: Timestamp) -> Result<Self, Timestamp> {
        let mut lately: Vec<Timestamp> = self.times.iter().copied().filter(|at| *at + Self::HOUR > now).collect();
        if let Some(first) = lately.len().checked_sub(most) {
            return Err(lately.get(first).map_or(now, |at| *at) + Self::HOUR);
        }
        lately.push(now);
        Ok(Self { times: lately })
    }

    /// When nothing of it counts any more.
    #[must_use]
    pub fn forgotten_at(&self) -> Option<Timestamp> {
        self.times.last().map(|at| *at + Self::HOUR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn failed(times: u32, now: Timestamp) -> Attempts {
        (0..times).fold(Attempts::default(), |row, _| row.attempted(now))
    }

    fn known(now: Timestamp) -> Attempts {
        Attempts { known_until: Some(now + KNOWN_FOR), ..Attempts::default() }
    }

    #[test]
    fn waits_grow_from_the_fifth_failure_on_and_end() {
        let wait = |times| failed(times, at(0)).blocked_until(at(0)).map(|until| until.as_second() - at(0).as_second());
        assert_eq!([1, 4, 5, 6, 10].map(wait), [None, None, Some(1), Some(2), Some(32)]);
        assert_eq!([15, 50, 99].map(wait), [Some(900); 3]);
        assert_eq!(wait(100), Some(24 * 3600));
        assert_eq!(failed(4, at(60)).blocked_until(at(0)), None, "another clock may be ahead: no wait is no wait");
    }

    #[test]
    fn whoever_is_known_by_device_or_network_does_not_wait_for_what_others_do() {
        let now = at(0);
        let network = Bucket { empty_at: at(600 * 1000).as_second(), last_at: now.as_millisecond() };
        let attacked = SignInCounts { account: failed(100, now), network, ..SignInCounts::default() };
        assert!(attacked.admit(now, false).is_err());
        assert_eq!(SignInCounts { from_network: known(now), ..attacked }.admit(now, false), Ok(KnownBy::Network));
        let beside = Attempts { known_until: Some(now + KNOWN_FOR), ..failed(50, now) };
        assert!(
            SignInCounts { from_network: beside, ..attacked }.admit(now, false).is_err(),
            "guesses from the same network"
        );
        let at_my_desk = SignInCounts { from_network: beside, from_device: Some(known(now)), ..attacked };
        assert_eq!(at_my_desk.admit(now, false), Ok(KnownBy::Device));
        assert!(at_my_desk.admit(now + KNOWN_FOR, false).is_ok(), "by then all is forgotten");
    }

    #[test]
    fn a_network_waits_half_a_minute_at_most_and_forgets_one_failure_in_ten_minutes() {
        let bucket = |level: i64| Bucket { empty_at: at(level * 600).as_second(), last_at: at(0).as_millisecond() };
        let wait = |level| {
            bucket(level).blocked_until(BucketOf::SignIns, at(0)).map(|until| until.as_second() - at(0).as_second())
        };
        assert_eq!([49, 50, 51, 55, 10_000].map(wait), [None, Some(1), Some(2), Some(30), Some(30)]);
        assert!(bucket(50).full(BucketOf::SignIns, at(0)) && !bucket(50).full(BucketOf::SignIns, at(600)));
    }

    proptest! {
        #[test]
        fn a_guesser_gets_no_more_than_the_written_number_of_tries_a_day(pauses in prop::collection::vec(0_i64..2000, 0..400)) {
            let (mut row, mut now, mut tries) = (Attempts::default(), at(0), 0);
            for pause in pauses {
                now += SignedDuration::from_secs(pause);
                if now >= at(24 * 3600) {
                    break;
                }
                if row.blocked_until(now).is_none() {
                    row = row.attempted(now);
                    tries += 1;
                }
            }
            // Five, then ten that double the wait, then one in 15 minutes.
            prop_assert!(tries <= 5 + 10 + 96, "{}", tries);
        }

        #[test]
        fn in_no_hour_are_there_more_than_the_limit_and_a_refusal_counts_for_nobody(
            most in 1_usize..12,
            pauses in prop::collection::vec(0_i64..1200, 1..200),
        ) {
            let (mut limit, mut now, mut heard) = (HourlyLimit::default(), at(0), Vec::new());
            for pause in pauses {
                now += SignedDuration::from_secs(pause);
                match limit.take(most, now) {
                    Ok(taken) => {
                        limit = taken;
                        heard.push(now);
                    }
                    Err(until) => {
                        prop_assert!(until > now && until <= now + HourlyLimit::HOUR);
                        prop_assert!(limit.take(most, until).is_ok());
                    }
                }
                let lately = heard.iter().filter(|at| **at + HourlyLimit::HOUR > now).count();
                prop_assert!(lately <= most);
            }
        }

        #[test]
        fn success_takes_back_what_its_owner_added_and_no_more(own in 0_u32..60, others in 0_u32..60, later in 0_i64..90_000) {
            let (then, now) = (at(0), at(later));
            let account = (0..others).fold(failed(own, then), |row, _| row.attempted(then));
            let counts = SignInCounts { account, from_network: failed(own, then), ..SignInCounts::default() };
            let (of_account, of_network) = counts.forgiven(now);
            let with_this = account.attempted(now).failures(now);
            let of_others = if counts.from_network.failures(now) > 0 || own == 0 { account.failures(now) - counts.from_network.failures(now) } else { account.failures(now) };
            prop_assert_eq!(with_this - of_account, of_others);
            prop_assert!(of_network <= own);
        }
    }
}
