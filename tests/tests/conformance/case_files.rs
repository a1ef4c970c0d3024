//! Case files: one slip number each, changes in order, no lost update, only legal states.

use archive_tests::engines;
use backends::{
    clock::new_id,
    database::{case_files::CaseToken, findings::VerdictRow},
    error::StorageError,
};
use domain::{case_file::CaseState, ids::CaseFileId};

use crate::rows;

#[tokio::test(flavor = "multi_thread")]
async fn a_slip_number_belongs_to_one_case_file() {
    for on in engines::all().await.unwrap() {
        let mut tx = on.backends.database.begin().await.unwrap();
        tx.case_files().insert(&rows::case_file(&on.backends, "S1")).await.unwrap();

        let again = tx.case_files().insert(&rows::case_file(&on.backends, "S1")).await;

        assert!(matches!(again, Err(StorageError::Conflict { .. })), "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_committed_never_was() {
    for on in engines::all().await.unwrap() {
        let mut tx = on.backends.database.begin().await.unwrap();
        tx.case_files().insert(&rows::case_file(&on.backends, "S1")).await.unwrap();
        drop(tx);

        let mut tx = on.backends.database.begin_read().await.unwrap();

        assert_eq!(tx.case_files().find_by_slip_number("S1").await.unwrap(), None, "{}", on.name);
        assert_eq!(tx.case_files().last_change().await.unwrap(), 0, "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_comes_back_as_it_was_stored() {
    for on in engines::all().await.unwrap() {
        let stored = rows::case_file(&on.backends, "S1");
        let mut tx = on.backends.database.begin().await.unwrap();
        tx.case_files().insert(&stored).await.unwrap();

        let mut found = tx.case_files().find(stored.id).await.unwrap().unwrap();
        found.change_sequence = 0;

        assert_eq!(found, stored, "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_rows_come_in_the_order_asked_for_without_those_that_are_not_there() {
    for on in engines::all().await.unwrap() {
        let rows: Vec<_> =
            (0..200).map(|number| rows::case_file(&on.backends, &format!("S{number}"))).collect();
        let mut tx = on.backends.database.begin().await.unwrap();
        for row in &rows {
            tx.case_files().insert(row).await.unwrap();
        }
        let mut asked: Vec<CaseFileId> = rows.iter().rev().map(|row| row.id).collect();
        asked.insert(3, new_id(on.backends.clock.now()));

        let found = tx.case_files().find_many(&asked).await.unwrap();

        asked.remove(3);
        assert_eq!(found.iter().map(|row| row.id).collect::<Vec<_>>(), asked, "{}", on.name);
        assert_eq!(tx.case_files().find_many(&[]).await.unwrap(), [], "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_of_what_somebody_else_changed_is_refused() {
    for on in engines::all().await.unwrap() {
        let row = rows::case_file(&on.backends, "S1");
        let mut tx = on.backends.database.begin().await.unwrap();
        tx.case_files().insert(&row).await.unwrap();
        let mut mine = tx.case_files().find(row.id).await.unwrap().unwrap();
        let mut theirs = mine.clone();

        tx.case_files().update(&mut theirs).await.unwrap();
        let late = tx.case_files().update(&mut mine).await;

        assert!(matches!(late, Err(StorageError::Conflict { .. })), "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_that_the_life_does_not_know_is_refused_and_a_legal_one_is_on_record() {
    for on in engines::all().await.unwrap() {
        let row = rows::case_file(&on.backends, "S1");
        let now = on.backends.clock.now();
        let mut tx = on.backends.database.begin().await.unwrap();
        tx.case_files().insert(&row).await.unwrap();
        let mut loaded = tx.case_files().find(row.id).await.unwrap().unwrap();

        let illegal = tx.case_files().change_state(&mut loaded, CaseState::Destroyed, "no", now).await;
        tx.case_files().change_state(&mut loaded, CaseState::Reading, "scan", now).await.unwrap();

        assert!(matches!(illegal, Err(StorageError::Conflict { .. })), "{}", on.name);
        let changes = tx.case_files().state_changes(None, 10).await.unwrap();
        let states: Vec<CaseState> = changes.iter().map(|change| change.to).collect();
        assert_eq!(states, [CaseState::Assembling, CaseState::Reading], "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_change_sequence_is_gapless_and_in_the_order_of_commits() {
    for on in engines::all().await.unwrap() {
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..16 {
            let backends = on.backends.clone();
            tasks.spawn(async move {
                let mut tx = backends.database.begin().await.unwrap();
                tx.case_files().insert(&rows::case_file(&backends, &format!("S{number}"))).await.unwrap();
                tx.commit().await.unwrap();
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }

        let mut tx = on.backends.database.begin_read().await.unwrap();
        let changed = tx.case_files().changed_since(0, 100).await.unwrap();

        let numbers: Vec<i64> = changed.iter().map(|row| row.change_sequence).collect();
        assert_eq!(numbers, (1..=16).collect::<Vec<i64>>(), "{}", on.name);
        assert_eq!(tx.case_files().last_change().await.unwrap(), 16, "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_file_is_found_by_the_token_it_carries_now() {
    for on in engines::all().await.unwrap() {
        let row = rows::case_file(&on.backends, "S1");
        let token = |byte| CaseToken { kind: "name", token: [byte; 16] };
        let mut tx = on.backends.database.begin().await.unwrap();
        tx.case_files().insert(&row).await.unwrap();
        tx.case_files().put_tokens(row.id, &[token(1), token(1)]).await.unwrap();

        tx.case_files().put_tokens(row.id, &[token(2)]).await.unwrap();

        assert!(tx.case_files().with_token(&token(1), 10).await.unwrap().is_empty(), "{}", on.name);
        assert_eq!(tx.case_files().with_token(&token(2), 10).await.unwrap().len(), 1, "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_numbers_of_one_identity_are_counted_once_each() {
    for on in engines::all().await.unwrap() {
        let identity = CaseToken { kind: "id_number", token: [1; 16] };
        let phone = |byte| CaseToken { kind: "phone", token: [byte; 16] };
        let mut tx = on.backends.database.begin().await.unwrap();
        for (slip, phones) in
            [("S1", vec![phone(7), phone(8)]), ("S2", vec![phone(8)]), ("S3", vec![phone(9)])]
        {
            let row = rows::case_file(&on.backends, slip);
            let owner =
                if slip == "S3" { CaseToken { kind: "id_number", token: [2; 16] } } else { identity.clone() };
            tx.case_files().insert(&row).await.unwrap();
            tx.case_files().put_tokens(row.id, &[vec![owner], phones].concat()).await.unwrap();
        }

        let counted = tx.case_files().numbers_with_token(&identity, 6).await.unwrap();
        let among_one = tx.case_files().numbers_with_token(&identity, 1).await.unwrap();

        assert_eq!((counted, among_one), (2, 1), "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn archival_numbers_have_no_gap_when_a_transaction_is_undone() {
    for on in engines::all().await.unwrap() {
        let mut tx = on.backends.database.begin().await.unwrap();
        assert_eq!(tx.holdings().next_archival_number("TJ-20260901").await.unwrap(), 1);
        tx.commit().await.unwrap();
        let mut undone = on.backends.database.begin().await.unwrap();
        undone.holdings().next_archival_number("TJ-20260901").await.unwrap();
        drop(undone);

        let mut tx = on.backends.database.begin().await.unwrap();
        let number = tx.holdings().next_archival_number("TJ-20260901").await.unwrap();

        assert_eq!(number, 2, "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verdict_that_fell_was_given_all_the_same() {
    for on in engines::all().await.unwrap() {
        let case_file = rows::case_file(&on.backends, "S1");
        let now = on.backends.clock.now();
        let verdict = VerdictRow {
            id: new_id(now),
            case_file_id: case_file.id,
            case_digest: [7; 32],
            outcome: "clean".to_owned(),
            given_at: now,
            fallen_at: None,
        };
        let mut tx = on.backends.database.begin().await.unwrap();
        tx.case_files().insert(&case_file).await.unwrap();
        assert!(!tx.findings().was_judged(case_file.id, &[7; 32]).await.unwrap(), "{}", on.name);

        tx.findings().insert_verdict(&verdict, &[], &[]).await.unwrap();
        tx.findings().fell(verdict.id, now).await.unwrap();

        assert!(tx.findings().was_judged(case_file.id, &[7; 32]).await.unwrap(), "{}", on.name);
        assert!(!tx.findings().was_judged(case_file.id, &[8; 32]).await.unwrap(), "{}", on.name);
    }
}
