//! The operation log: gapless, in the transaction of the act, comes back as it was hashed.

use archive_tests::engines;

use crate::rows;

#[tokio::test(flavor = "multi_thread")]
async fn an_undone_act_leaves_no_entry_and_no_gap() {
    for on in engines::all().await.unwrap() {
        let mut tx = on.backends.database.begin().await.unwrap();
        tx.operation_log().append(&rows::log_entry(&on.backends, "1")).await.unwrap();
        tx.commit().await.unwrap();
        let mut undone = on.backends.database.begin().await.unwrap();
        undone.operation_log().append(&rows::log_entry(&on.backends, "2")).await.unwrap();
        drop(undone);

        let mut tx = on.backends.database.begin().await.unwrap();
        let sequence = tx.operation_log().append(&rows::log_entry(&on.backends, "3")).await.unwrap();

        assert_eq!(sequence, 2, "{}", on.name);
        assert_eq!(tx.operation_log().size().await.unwrap(), 2, "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_read_back_has_the_hash_it_was_stored_with() {
    for on in engines::all().await.unwrap() {
        let mut tx = on.backends.database.begin().await.unwrap();
        for number in 0..5 {
            tx.operation_log().append(&rows::log_entry(&on.backends, &number.to_string())).await.unwrap();
        }

        let rows = tx.operation_log().after(2, 10).await.unwrap();

        assert_eq!(rows.iter().map(|row| row.sequence).collect::<Vec<_>>(), [3, 4, 5], "{}", on.name);
        assert!(rows.iter().all(|row| row.expected_leaf_hash() == row.leaf_hash), "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_entries_follow_each_other_without_a_gap() {
    for on in engines::all().await.unwrap() {
        let entries: Vec<_> =
            (0..40).map(|number| rows::log_entry(&on.backends, &number.to_string())).collect();
        let mut tx = on.backends.database.begin().await.unwrap();
        let before = tx.operation_log().size().await.unwrap();

        let last = tx.operation_log().append_all(&entries).await.unwrap();
        let none = tx.operation_log().append_all(&[]).await.unwrap();
        tx.commit().await.unwrap();

        assert_eq!((last, none), (before + 40, before + 40), "{}", on.name);
        let mut tx = on.backends.database.begin_read().await.unwrap();
        let rows = tx.operation_log().after(before, 100).await.unwrap();
        assert!(rows.iter().zip(before + 1..).all(|(row, sequence)| row.sequence == sequence), "{}", on.name);
        assert!(rows.iter().all(|row| row.leaf_hash == row.expected_leaf_hash()), "{}", on.name);
        assert!(rows.iter().map(|row| &row.entry).eq(&entries), "{}", on.name);
    }
}
