//! Sweeps: whatever has become old since the last one goes, however much that is, and interrupted hand-overs of keys
//! are settled without touching those under way.

use std::sync::Arc;

use archive_api::{
    intake::{FileHead, FileOutcome, FileSource, Intake, SourceError, UploadRequest},
    tokens::local_caller,
};
use archive_tests::{engines, scans};
use async_trait::async_trait;
use backends::{
    blob_store::BlobKey,
    clock::{HandClock, new_id},
    connect::Backends,
    database::{case_files::CaseFileRow, jobs::JobRow, scans::ScanRow, upload_tickets::UploadTicketRow},
    vault::{DataKey, KeyPurpose},
};
use bytes::Bytes;
use chrono::TimeDelta;
use domain::{ids::AccountId, scan::ScanState, upload_ticket::UploadTicketState};
use workers::timetable;

use crate::rows;

/// More than one transaction removes.
const JOBS: u128 = 10_050;
const TICKETS: usize = 1_050;

#[tokio::test(flavor = "multi_thread")]
async fn however_many_jobs_were_done_long_ago_none_is_left() {
    for on in engines::all().await.unwrap() {
        let jobs: Vec<JobRow> = (0..JOBS).map(|subject| rows::job(&on.backends, subject)).collect();
        let mut tx = on.backends.database.begin().await.unwrap();
        tx.jobs().enqueue_all(&jobs).await.unwrap();
        tx.commit().await.unwrap();
        let done = "UPDATE jobs SET state = 'done', finished_at = '2020-01-01 00:00:00+00:00'";
        engines::execute(&on.config.database_url, done).await.unwrap();

        timetable::sweep(&on.backends).await.unwrap();

        let mut tx = on.backends.database.begin_read().await.unwrap();
        assert_eq!(tx.jobs().counts().await.unwrap(), [], "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn however_many_tickets_are_over_all_are_closed() {
    for on in engines::all().await.unwrap() {
        let account = rows::account(&on.backends).await;
        let mut tx = on.backends.database.begin().await.unwrap();
        for _ in 0..TICKETS {
            tx.upload_tickets().insert(&overdue_ticket(&on.backends, account)).await.unwrap();
        }
        tx.commit().await.unwrap();

        timetable::sweep_quarantine(&on.backends).await.unwrap();

        let mut tx = on.backends.database.begin_read().await.unwrap();
        let open = tx.upload_tickets().overdue(on.backends.clock.now(), 10).await.unwrap();
        assert_eq!(open, [], "{}", on.name);
        assert_eq!(tx.operation_log().size().await.unwrap(), TICKETS as i64, "{}", on.name);
    }
}

fn overdue_ticket(backends: &Backends, account: AccountId) -> UploadTicketRow {
    let then = backends.clock.now() - TimeDelta::hours(3);
    UploadTicketRow {
        id: new_id(then),
        account_id: account,
        state: UploadTicketState::Open,
        outlet_code: None,
        slip_number_given: None,
        slot_given: None,
        size_bytes: 5,
        sha256: [1; 32],
        issued_at: then,
        upload_by: then + TimeDelta::minutes(15),
        expires_at: then + TimeDelta::minutes(135),
        settled_at: None,
        upload_id: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hand_over_that_was_interrupted_is_settled_and_one_under_way_is_left_alone() {
    for on in engines::all().await.unwrap() {
        let clock = Arc::new(HandClock::new(on.backends.clock.now()));
        let backends = Backends { clock: Arc::clone(&clock) as _, ..on.backends.clone() };
        let case_key = backends.vault.new_key(KeyPurpose::CaseFile, backends.clock.now()).await.unwrap();
        let placed = handed_over(&backends, &case_key, ScanState::Placed).await;
        let waiting = handed_over(&backends, &case_key, ScanState::Read).await;
        timetable::sweep(&backends).await.unwrap();
        let now = backends.clock.now();
        let too_early =
            backends.vault.wrapped_twice(now - TimeDelta::days(1), now + TimeDelta::days(1)).await;

        clock.advance(TimeDelta::minutes(61));
        timetable::sweep(&backends).await.unwrap();
        let left = backends.vault.wrapped_twice(now - TimeDelta::days(1), now + TimeDelta::days(1)).await;
        backends.vault.destroy(case_key.id()).await.unwrap();

        assert_eq!(too_early.unwrap().len(), 2, "{}: somebody may be at it", on.name);
        assert_eq!(left.unwrap().len(), 0, "{}: one that found no place is settled as well", on.name);
        assert!(
            backends.vault.key(placed).await.unwrap().is_none(),
            "{}: it dies with its case file",
            on.name
        );
        assert!(backends.vault.key(waiting).await.unwrap().is_some(), "{}: it is in none", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_file_that_a_scan_has_left_does_not_open_it_any_more() {
    for on in engines::all().await.unwrap() {
        let clock = Arc::new(HandClock::new(on.backends.clock.now()));
        let backends = Backends { clock: Arc::clone(&clock) as _, ..on.backends.clone() };
        let now = backends.clock.now();
        let former = backends.vault.new_key(KeyPurpose::CaseFile, now).await.unwrap();
        let present = backends.vault.new_key(KeyPurpose::CaseFile, now).await.unwrap();
        let scan = handed_over(&backends, &present, ScanState::Placed).await;
        let scan_key = backends.vault.required_key(scan).await.unwrap();
        backends.vault.hand_over(&scan_key, &former, now).await.unwrap();
        backends.vault.release_from_root(scan).await.unwrap();

        clock.advance(TimeDelta::minutes(61));
        timetable::sweep(&backends).await.unwrap();

        assert!(backends.vault.key(scan).await.unwrap().is_some(), "{}: where it is", on.name);
        backends.vault.destroy(present.id()).await.unwrap();
        assert!(backends.vault.key(scan).await.unwrap().is_none(), "{}: where it was", on.name);
    }
}

/// A scan whose key the root and the case file wrap, as a crash leaves it.
async fn handed_over(backends: &Backends, case_key: &DataKey, state: ScanState) -> domain::ids::KeyId {
    let now = backends.clock.now();
    let key = backends.vault.new_key(KeyPurpose::Scan, now).await.unwrap();
    backends.vault.hand_over(&key, case_key, now).await.unwrap();
    let account = rows::account(backends).await;
    let upload = rows::upload(backends, account, None);
    let received = ScanRow { key_id: key.id(), ..rows::scan(backends, upload.id, account, [7; 32]) };
    let case_file =
        CaseFileRow { key_id: case_key.id(), ..rows::case_file(backends, &received.id.to_string()) };
    let mut tx = backends.database.begin().await.unwrap();
    tx.scans().insert_uploads(&[rows::new_upload(upload, std::slice::from_ref(&received))]).await.unwrap();
    if state == ScanState::Placed {
        tx.case_files().insert(&case_file).await.unwrap();
    }
    let is_placed = (state == ScanState::Placed).then_some(case_file.id);
    let scan = ScanRow { case_file_id: is_placed, state, ..received };
    tx.scans().update(&scan, ScanState::Received).await.unwrap();
    tx.commit().await.unwrap();
    key.id()
}

/// A sender on a slow line: a quarter of an hour for each file, and a sweep before each.
struct SlowSender {
    backends: Backends,
    clock: Arc<HandClock>,
    waiting: Vec<Bytes>,
    current: Option<Bytes>,
}

#[async_trait]
impl FileSource for SlowSender {
    async fn next_file(&mut self) -> Result<Option<FileHead>, SourceError> {
        self.clock.advance(TimeDelta::minutes(15));
        timetable::sweep(&self.backends).await.unwrap();
        self.current = self.waiting.pop();
        Ok(self.current.is_some().then(FileHead::default))
    }

    async fn next_piece(&mut self) -> Result<Option<Bytes>, SourceError> {
        Ok(self.current.take())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_stored_for_an_upload_that_takes_hours_is_left_alone() {
    const FILES: u64 = 20;
    for on in engines::all().await.unwrap() {
        let clock = Arc::new(HandClock::new(on.backends.clock.now()));
        let backends = Backends { clock: Arc::clone(&clock) as _, ..on.backends.clone() };
        let caller = local_caller(&backends).await.unwrap();
        let intake = Intake::new(backends.clone(), ingest::Limits::default(), 64 << 20);
        let waiting = (0..FILES).map(|seed| scans::small_page(seed).unwrap().bytes.into()).collect();
        let mut sender = SlowSender { backends: backends.clone(), clock, waiting, current: None };

        let receipt = intake.receive(&caller, UploadRequest::default(), &mut sender).await.unwrap();

        for file in &receipt.files {
            let FileOutcome::Received(id) = file.outcome else { panic!("{}: {receipt:?}", on.name) };
            assert!(
                backends.blobs.exists(BlobKey::Scan(id)).await.unwrap(),
                "{}: file {}",
                on.name,
                file.number
            );
        }
        assert_eq!(receipt.files.len(), FILES as usize, "{}", on.name);
        let mut tx = backends.database.begin_read().await.unwrap();
        assert_eq!(tx.uploads_under_way().oldest().await.unwrap(), None, "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_says_nothing_for_long_is_taken_for_dead() {
    for on in engines::all().await.unwrap() {
        let now = on.backends.clock.now();
        let (alive, dead, ahead) =
            (uuid::Uuid::from_u128(1), uuid::Uuid::from_u128(2), uuid::Uuid::from_u128(3));
        let mut tx = on.backends.database.begin().await.unwrap();
        let began_at = now - TimeDelta::hours(2);
        for (id, seen) in [(alive, -25), (dead, -31), (ahead, 31)] {
            let earlier = began_at - TimeDelta::minutes(if id == alive { 0 } else { 10 });
            tx.uploads_under_way().begin(id, earlier, now + TimeDelta::minutes(seen)).await.unwrap();
        }

        tx.uploads_under_way().forget_dead(now).await.unwrap();

        let oldest = tx.uploads_under_way().oldest().await.unwrap().unwrap();
        assert!((oldest - began_at).abs() < TimeDelta::milliseconds(1), "{}", on.name);
        assert!(tx.uploads_under_way().renew(alive, now).await.unwrap(), "{}", on.name);
        assert!(!tx.uploads_under_way().renew(dead, now).await.unwrap(), "{}", on.name);
        assert!(!tx.uploads_under_way().end(ahead).await.unwrap(), "{}", on.name);
        assert!(tx.uploads_under_way().end(alive).await.unwrap(), "{}", on.name);
    }
}
