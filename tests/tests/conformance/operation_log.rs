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
