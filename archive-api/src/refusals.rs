//! Tokens that open nothing. Anybody can send them, as many as they like, so that they are summed up before they go on
//! record: the first from an address at once, the others of the same minute in one entry.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use backends::{connect::Backends, database::operation_log::LogEntry, error::StorageError};

use crate::record::put_on_record;

/// How long refusals from one address are gathered.
const WINDOW: Duration = Duration::from_mins(1);
/// Addresses that are told apart at once; all others count as one.
const ORIGINS: usize = 256;
/// Stands for them.
const ELSEWHERE: &str = "elsewhere";

/// Refusals that are not on record yet, by the address they came from.
#[derive(Default)]
pub(crate) struct Refusals {
    gathered: Mutex<HashMap<String, u64>>,
}

impl Refusals {
    /// Puts a refusal on record, or counts it where one from the same address was put there within the last minute.
    pub(crate) async fn record(
        self: &Arc<Self>,
        backends: &Backends,
        origin: &str,
    ) -> Result<(), StorageError> {
        let Some(origin) = self.begin(origin) else { return Ok(()) };
        let (refusals, later, of) = (Arc::clone(self), backends.clone(), origin.clone());
        tokio::spawn(async move {
            tokio::time::sleep(WINDOW).await;
            refusals.sum_up(&later, &of).await;
        });
        put_on_record(backends, &entry(backends, &origin, "refused".to_owned())).await
    }

    /// Begins to gather from an address; `None`, and one more is counted, where that has begun already.
    fn begin(&self, origin: &str) -> Option<String> {
        let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        let is_crowded = gathered.len() >= ORIGINS && !gathered.contains_key(origin);
        let origin = if is_crowded { ELSEWHERE } else { origin };
        if let Some(count) = gathered.get_mut(origin) {
            *count += 1;
            return None;
        }
        gathered.insert(origin.to_owned(), 0);
        Some(origin.to_owned())
    }

    /// Ends to gather from an address; gives how many came after the first.
    fn end(&self, origin: &str) -> u64 {
        let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        gathered.remove(origin).unwrap_or_default()
    }

    async fn sum_up(&self, backends: &Backends, origin: &str) {
        let more = self.end(origin);
        if more == 0 {
            return;
        }
        let entry = entry(backends, origin, format!("refused {more} more"));
        if let Err(error) = put_on_record(backends, &entry).await {
            tracing::warn!(refusals = more, %error, "refused tokens could not be put on record");
        }
    }
}

fn entry(backends: &Backends, origin: &str, result: String) -> LogEntry {
    LogEntry {
        at: backends.clock.now(),
        account_id: None,
        role: "none".to_owned(),
        outlet_code: None,
        origin: origin.to_owned(),
        action: "sign_in".to_owned(),
        subject_kind: "token".to_owned(),
        subject_id: String::new(),
        reason: None,
        result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestArchive;

    #[tokio::test]
    async fn many_refusals_from_one_address_are_two_entries() {
        let archive = TestArchive::open().await;
        let refusals = Arc::new(Refusals::default());
        for _ in 0..200 {
            refusals.record(archive.backends(), "192.0.2.7").await.unwrap();
        }
        refusals.record(archive.backends(), "192.0.2.8").await.unwrap();
        for origin in ["192.0.2.7", "192.0.2.8"] {
            refusals.sum_up(archive.backends(), origin).await;
        }

        let mut tx = archive.backends().database.begin_read().await.unwrap();
        let log = tx.operation_log().after(0, 1000).await.unwrap();
        let told = log.into_iter().filter(|row| row.entry.action == "sign_in");
        let told: Vec<_> = told.map(|row| (row.entry.origin, row.entry.result)).collect();
        let one = |origin: &str, result: &str| (origin.to_owned(), result.to_owned());
        assert_eq!(
            told,
            [one("192.0.2.7", "refused"), one("192.0.2.8", "refused"), one("192.0.2.7", "refused 199 more")]
        );
    }

    #[test]
    fn no_number_of_addresses_takes_more_than_its_share() {
        let refusals = Refusals::default();
        let begun = (0..1000).filter(|address| refusals.begin(&address.to_string()).is_some()).count();

        assert_eq!(begun, ORIGINS + 1);
        assert_eq!(refusals.end(ELSEWHERE), 1000 - ORIGINS as u64 - 1);
        assert!(refusals.begin("0").is_none());
    }
}
