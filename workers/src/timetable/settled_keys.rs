//! Keys of scans whose hand-over was interrupted: each is wrapped by what stands for the place of its scan, and by
//! nothing else.

use std::collections::HashMap;

use backends::{connect::Backends, error::StorageError, vault::Wrapper};
use chrono::TimeDelta;
use domain::ids::KeyId;

use super::GRACE;

/// How far back interrupted hand-overs are looked for where nobody has looked before.
const FIRST_LOOK: TimeDelta = TimeDelta::days(2);

/// A scan in a case file lives and dies with the case file's key, one outside with the root's. What a crash left beside
/// that goes: the root's wrapping of a scan that was placed, and that of a case file which the scan has left or never
/// came into. Looks at keys wrapped since the last time, and leaves those alone that somebody may be handing over right
/// now.
pub(super) async fn settle(backends: &Backends) -> Result<(), StorageError> {
    let now = backends.clock.now();
    let mut tx = backends.database.begin_read().await?;
    let settled_at = tx.timetable().keys_settled_at().await?;
    drop(tx);
    // Twice the grace: what was too young the last time is looked at this time. A clock that ran ahead is not believed.
    let since = settled_at.unwrap_or(now - FIRST_LOOK).min(now) - GRACE - GRACE;
    let until = now - GRACE;
    let twice = backends.vault.wrapped_twice(since, until).await?;
    let keys: Vec<KeyId> = twice.keys().copied().collect();
    let mut tx = backends.database.begin_read().await?;
    let places = tx.timetable().places_of_keys(&keys).await?;
    drop(tx);
    let mut rightful: HashMap<KeyId, Vec<Wrapper>> = HashMap::new();
    for (key, case_file) in places {
        rightful.entry(key).or_default().push(case_file.map_or(Wrapper::Root, Wrapper::CaseFile));
    }
    for (key, rightful) in rightful {
        let wrappers = twice.get(&key).map(Vec::as_slice).unwrap_or_default();
        for left_over in left_over(wrappers, &rightful) {
            tracing::info!(key.id = %key, "a key is released from where its scan is not");
            backends.vault.release_older(key, left_over, until).await?;
        }
    }
    let mut tx = backends.database.begin().await?;
    tx.timetable().keys_were_settled(now).await?;
    tx.commit().await
}

/// What wraps a key without right. Nothing, as long as a rightful wrapping is missing: then the others are all by which
/// the scan can be read.
fn left_over(wrappers: &[Wrapper], rightful: &[Wrapper]) -> Vec<Wrapper> {
    if !rightful.iter().all(|wrapper| wrappers.contains(wrapper)) {
        return Vec::new();
    }
    wrappers.iter().copied().filter(|wrapper| !rightful.contains(wrapper)).collect()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn only_what_wraps_without_right_goes_and_only_while_the_scan_stays_readable() {
        let case_file = |number| Wrapper::CaseFile(KeyId::from_uuid(Uuid::from_u128(number)));
        let (here, former) = (case_file(1), case_file(2));

        assert_eq!(left_over(&[Wrapper::Root, here], &[here]), [Wrapper::Root]);
        assert_eq!(left_over(&[Wrapper::Root, former], &[Wrapper::Root]), [former]);
        assert_eq!(left_over(&[here, former], &[here]), [former]);
        assert_eq!(left_over(&[Wrapper::Root, former], &[here]), []);
    }
}
