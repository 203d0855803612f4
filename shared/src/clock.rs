//! Time, from one place, so that a test moves it instead of waiting.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::civil::DateTime;
use jiff::fmt::temporal::Pieces;
pub use jiff::{SignedDuration, Zoned, tz::TimeZone};
use serde_with::{DeserializeFromStr, SerializeDisplay};

/// The time that everything in Gatehouse goes by. On AWS it is the system's; the local stack can move it on.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    ahead_ms: Arc<AtomicI64>,
}

impl Clock {
    /// Now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp::now() + SignedDuration::from_millis(self.ahead_ms.load(Ordering::Relaxed))
    }

    /// Moves this clock, and every clone of it, on.
    pub fn advance(&self, by: SignedDuration) {
        let ms = i64::try_from(by.as_millis()).unwrap_or(i64::MAX / 4);
        self.ahead_ms.fetch_add(ms, Ordering::Relaxed);
    }
}

/// A moment in UTC, in whole milliseconds: what a ULID and a sort key can hold. Its years are those of RFC 3339, 0000 to
/// 9999, and reckoning with it ends there instead of overflowing.
///
/// It is read with or without a fraction of a second, and always written with three digits of it: so the order of its
/// text is the order of time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, SerializeDisplay, DeserializeFromStr)]
pub struct Timestamp(i64);

/// Text or a number that is no time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a time with its offset, such as 2026-01-31T09:30:00Z (RFC 3339)")]
pub struct TimeError;

impl Timestamp {
    /// The first of 1970.
    pub const UNIX_EPOCH: Self = Self(0);
    /// `0000-01-01T00:00:00.000Z`
    pub const MIN: Self = Self(-62_167_219_200_000);
    /// `9999-12-31T23:59:59.999Z`
    pub const MAX: Self = Self(253_402_300_799_999);

    /// The system's time.
    #[must_use]
    pub fn now() -> Self {
        Self(jiff::Timestamp::now().as_millisecond())
    }

    /// So many milliseconds after the beginning of 1970.
    pub fn from_millisecond(ms: i64) -> Result<Self, TimeError> {
        Some(Self(ms)).filter(|at| (Self::MIN..=Self::MAX).contains(at)).ok_or(TimeError)
    }

    /// So many seconds after the beginning of 1970.
    pub fn from_second(seconds: i64) -> Result<Self, TimeError> {
        seconds.checked_mul(1000).ok_or(TimeError).and_then(Self::from_millisecond)
    }

    /// Milliseconds since the beginning of 1970.
    #[must_use]
    pub fn as_millisecond(self) -> i64 {
        self.0
    }

    /// Whole seconds since the beginning of 1970.
    #[must_use]
    pub fn as_second(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// How long after the other it is.
    #[must_use]
    pub fn duration_since(self, other: Self) -> SignedDuration {
        SignedDuration::from_millis(self.0 - other.0)
    }

    /// Its date and time of day in UTC.
    #[must_use]
    pub fn date_time(self) -> DateTime {
        let since_1970 = SignedDuration::from_millis(self.0);
        DateTime::constant(1970, 1, 1, 0, 0, 0, 0).checked_add(since_1970).unwrap_or(DateTime::MAX)
    }

    /// In a time zone; the last day of the year 9999 has no local times.
    #[must_use]
    pub fn to_zoned(self, zone: TimeZone) -> Zoned {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::MAX).to_zoned(zone)
    }

    /// In UTC, by a format of `strftime`.
    pub fn strftime(self, format: &str) -> impl fmt::Display {
        self.date_time().strftime(format).to_string()
    }
}

impl Add<SignedDuration> for Timestamp {
    type Output = Self;

    fn add(self, duration: SignedDuration) -> Self {
        let ms = i64::try_from(i128::from(self.0) + duration.as_millis());
        Self(ms.unwrap_or(if duration.is_negative() { i64::MIN } else { i64::MAX }).clamp(Self::MIN.0, Self::MAX.0))
    }
}

impl AddAssign<SignedDuration> for Timestamp {
    fn add_assign(&mut self, duration: SignedDuration) {
        *self = *self + duration;
    }
}

impl Sub<SignedDuration> for Timestamp {
    type Output = Self;

    fn sub(self, duration: SignedDuration) -> Self {
        Add::add(self, duration.checked_neg().unwrap_or(SignedDuration::MAX))
    }
}

impl FromStr for Timestamp {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        // Not jiff's own moment: that ends a day before RFC 3339 does, and "the end of 9999" is what people write for "never".
        let pieces = Pieces::parse(text).map_err(|_| TimeError)?;
        let (time, offset) = pieces.time().zip(pieces.to_numeric_offset()).ok_or(TimeError)?;
        let since_1970 = pieces.date().to_datetime(time).duration_since(DateTime::constant(1970, 1, 1, 0, 0, 0, 0));
        let ms = since_1970.as_millis().checked_sub(i128::from(offset.seconds()) * 1000).ok_or(TimeError)?;
        // What is finer than a millisecond is cut off, before 1970 as well as after.
        let ms = if since_1970.is_negative() && since_1970.subsec_nanos() % 1_000_000 != 0 { ms - 1 } else { ms };
        i64::try_from(ms).map_err(|_| TimeError).and_then(Self::from_millisecond)
    }
}

crate::schema::of_text!(
    Timestamp,
    "A moment (RFC 3339): read with any offset and fraction, written in UTC with three digits of a second.",
    { "format": "date-time" }
);

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.date_time();
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let mut put = |last: usize, digits: usize, number: i16| {
            let mut rest = number.unsigned_abs();
            for place in (last + 1 - digits..=last).rev() {
                // One digit.
                text[place] = b'0' + u8::try_from(rest % 10).unwrap_or_default();
                rest /= 10;
            }
        };
        put(3, 4, at.year());
        put(6, 2, at.month().into());
        put(9, 2, at.day().into());
        put(12, 2, at.hour().into());
        put(15, 2, at.minute().into());
        put(18, 2, at.second().into());
        put(22, 3, at.millisecond());
        f.write_str(str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<std::time::SystemTime> for Timestamp {
    type Error = TimeError;

    fn try_from(at: std::time::SystemTime) -> Result<Self, TimeError> {
        jiff::Timestamp::try_from(at).map_err(|_| TimeError).and_then(|at| Self::from_millisecond(at.as_millisecond()))
    }
}

impl From<Timestamp> for std::time::SystemTime {
    fn from(at: Timestamp) -> Self {
        jiff::Timestamp::from_millisecond(at.0).unwrap_or(jiff::Timestamp::MAX).into()
    }
}

/// The time as text of a fixed width, so that text order is time order: `2026-01-31T09:30:00.000Z`.
#[must_use]
pub fn sortable(at: Timestamp) -> String {
    at.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_time_is_read_with_any_fraction_and_written_with_three_digits() {
        for (read, written) in [
            ("2026-01-31T09:30:00Z", "2026-01-31T09:30:00.000Z"),
            ("2026-01-31T09:30:00.5Z", "2026-01-31T09:30:00.500Z"),
            ("2026-01-31T09:30:00.123456789Z", "2026-01-31T09:30:00.123Z"),
            ("2026-01-31T11:30:00.999999999+02:00", "2026-01-31T09:30:00.999Z"),
            ("1969-12-31T23:59:59.999999999Z", "1969-12-31T23:59:59.999Z"),
            ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000Z"),
            ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000Z"),
            ("9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(read.parse::<Timestamp>().unwrap().to_string(), written, "{read}");
        }
        for no_time in [
            "",
            "now",
            "2026-01-31",
            "2026-01-31T09:30:00",
            "2026-02-30T09:30:00Z",
            "2026-01-31T09:30:00.1234567890Z",
            "-000001-12-31T23:59:59Z",
            "10000-01-01T00:00:00Z",
            "9999-12-31T23:59:59-01:00",
            "0000-01-01T00:00:00+01:00",
        ] {
            assert_eq!(no_time.parse::<Timestamp>(), Err(TimeError), "{no_time}");
        }
    }

    #[test]
    fn reckoning_ends_with_the_calendar() {
        for endless in [SignedDuration::MAX, SignedDuration::from_hours(24 * 366 * 20_000)] {
            assert_eq!(Timestamp::UNIX_EPOCH + endless, Timestamp::MAX);
            assert_eq!(Timestamp::MAX + endless, Timestamp::MAX);
            assert_eq!(Timestamp::UNIX_EPOCH - endless, Timestamp::MIN);
        }
        assert_eq!(Timestamp::MAX + SignedDuration::MIN, Timestamp::MIN);
        assert_eq!(Timestamp::MAX.to_string(), "9999-12-31T23:59:59.999Z");
        assert_eq!(Timestamp::MIN.to_string(), "0000-01-01T00:00:00.000Z");
        assert!(Timestamp::MAX.to_zoned(TimeZone::UTC).year() == 9999);
    }

    proptest! {
        #[test]
        fn text_order_is_time_order(one in Timestamp::MIN.0..=Timestamp::MAX.0, other in Timestamp::MIN.0..=Timestamp::MAX.0) {
            let (one, other) = (Timestamp(one), Timestamp(other));
            prop_assert_eq!(one.cmp(&other), one.to_string().cmp(&other.to_string()));
            prop_assert_eq!(one.to_string().parse(), Ok(one));
        }
    }
}
