//! Time and randomness: taken from here and nowhere else, so that a test can hold both.

use std::sync::{
    Mutex,
    atomic::{AtomicU64, Ordering},
};

use chrono::{DateTime, DurationRound, FixedOffset, NaiveDate, TimeDelta, Utc};
use domain::ids::Id;
use rand::RngCore;

/// Tells the time. Instants are cut to microseconds, what both database engines keep.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's clock.
#[derive(Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the machine")]
    fn now(&self) -> DateTime<Utc> {
        to_microseconds(Utc::now())
    }
}

/// A clock that a test moves by hand.
#[derive(Debug)]
pub struct HandClock {
    now: Mutex<DateTime<Utc>>,
}

impl HandClock {
    /// Starts at `now`.
    pub fn new(now: DateTime<Utc>) -> Self {
        Self { now: Mutex::new(to_microseconds(now)) }
    }

    /// Moves by `delta`, forward or back.
    pub fn advance(&self, delta: TimeDelta) {
        let mut now = self.now.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *now += delta;
    }
}

impl Clock for HandClock {
    fn now(&self) -> DateTime<Utc> {
        *self.now.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The calendar day of `instant` in the office, which keeps China Standard Time (UTC+8, no summer time).
pub fn office_day(instant: DateTime<Utc>) -> NaiveDate {
    const OFFICE_OFFSET_SECONDS: i32 = 8 * 3600;
    let office = FixedOffset::east_opt(OFFICE_OFFSET_SECONDS);
    office.map_or_else(|| instant.date_naive(), |office| instant.with_timezone(&office).date_naive())
}

/// Makes a new id at `now`; ids made by one process in the same millisecond still sort in the order made.
pub fn new_id<K>(now: DateTime<Utc>) -> Id<K> {
    static MADE: AtomicU64 = AtomicU64::new(0);
    let mut random = [0_u8; 10];
    rand::rng().fill_bytes(&mut random);
    // RFC 9562 §6.2 method 1: a counter in the leading random bits keeps the order within a millisecond.
    let counter = (MADE.fetch_add(1, Ordering::Relaxed) & 0x0fff) as u16;
    random[..2].copy_from_slice(&counter.to_be_bytes());
    Id::from_parts(now.timestamp_millis().unsigned_abs(), random)
}

fn to_microseconds(instant: DateTime<Utc>) -> DateTime<Utc> {
    instant.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(instant)
}
