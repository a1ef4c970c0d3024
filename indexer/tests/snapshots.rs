//! Copies of an index: whole while it is being written, and nothing of one that is not.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::{
    fs,
    io::Write,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use common::{case, id, key, upsert};
use domain::blind_index::BlindKey;
use indexer::{
    error::IndexError,
    searcher::Searcher,
    snapshot::{Arrival, HeldCommit},
    writer::{Change, IndexWriter},
};

/// A commit of ten more case files, half of which come anew with the next.
fn commit(writer: &mut IndexWriter, number: u64) {
    let cases = (number * 5..number * 5 + 10).map(|moment| upsert(&case(id(moment, 1))));
    writer.apply(&cases.collect::<Vec<Change>>(), number + 1).unwrap();
    writer.commit().unwrap();
    writer.collect_garbage().unwrap();
}

fn copy_into(held: &HeldCommit, root: &Path) -> Result<IndexWriter, IndexError> {
    let arrival = Arrival::start(root, key()).unwrap().unwrap();
    for file in held.files() {
        let mut copy = arrival.create(&file.name)?;
        copy.write_all(&fs::read(&file.path).unwrap()).unwrap();
    }
    arrival.finish(held.reached())
}

#[test]
fn a_commit_that_is_held_outlives_the_ones_after_it() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut writer = IndexWriter::open(from.path(), key()).unwrap();
    for number in 0..12 {
        commit(&mut writer, number);
    }

    let held = HeldCommit::take(from.path(), &key()).unwrap();
    for number in 12..40 {
        commit(&mut writer, number);
    }
    writer.purge().unwrap();
    let mut copy = copy_into(&held, to.path()).unwrap();

    assert_eq!((held.reached(), copy.reached()), (12, 12));
    assert_eq!(Searcher::open(to.path(), key()).unwrap().case_files(), 65);
    for number in 12..40 {
        commit(&mut copy, number);
    }
    copy.purge().unwrap();
    let (original, copied) =
        (Searcher::open(from.path(), key()).unwrap(), Searcher::open(to.path(), key()).unwrap());
    let sorted = |searcher: &Searcher| {
        let mut ids = searcher.ids();
        ids.sort();
        ids
    };
    assert_eq!(sorted(&original), sorted(&copied));
    // What came with the snapshot is the engine's own, and is removed when it is no longer needed.
    assert!(copy.size_bytes().unwrap() < writer.size_bytes().unwrap() * 2);
}

#[test]
fn holding_never_meets_half_a_commit() {
    let from = tempfile::tempdir().unwrap();
    let mut writer = IndexWriter::open(from.path(), key()).unwrap();
    commit(&mut writer, 0);
    let is_done = AtomicBool::new(false);

    let held = std::thread::scope(|scope| {
        let holding = scope.spawn(|| {
            let mut held = 0;
            while !is_done.load(Ordering::Relaxed) {
                let commit = HeldCommit::take(from.path(), &key()).unwrap();
                assert!(commit.reached() >= 1 && !commit.files().is_empty());
                held += 1;
            }
            held
        });
        for number in 1..60 {
            commit(&mut writer, number);
        }
        is_done.store(true, Ordering::Relaxed);
        holding.join().unwrap()
    });

    assert!(held > 0, "nothing was held while it was written");
    assert!(!from.path().join("held").exists());
}

#[test]
fn a_copy_with_a_wrong_byte_is_refused_and_leaves_nothing() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut writer = IndexWriter::open(from.path(), key()).unwrap();
    commit(&mut writer, 0);
    let held = HeldCommit::take(from.path(), &key()).unwrap();
    let largest = held.files().iter().max_by_key(|file| file.size_bytes).unwrap();
    let mut bytes = fs::read(&largest.path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    // Not through the link, which is the index's own file.
    fs::remove_file(&largest.path).unwrap();
    fs::write(&largest.path, bytes).unwrap();

    let refused = copy_into(&held, to.path()).err().unwrap();

    assert!(matches!(refused, IndexError::Damaged { .. }), "{refused}");
    let left = fs::read_dir(to.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(left.into_iter().all(|name| name == "writer.lock"));
    assert_eq!(IndexWriter::open(to.path(), key()).unwrap().reached(), 0);
}

#[test]
fn nothing_arrives_where_an_index_is_and_no_name_leads_out_of_the_folder() {
    let (used, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    drop(IndexWriter::open(used.path(), key()).unwrap());

    assert!(Arrival::start(used.path(), key()).unwrap().is_none());
    let arrival = Arrival::start(new.path(), key()).unwrap().unwrap();
    for name in ["../current", "a/b", "..", "", "/etc/passwd"] {
        assert!(arrival.create(name).is_err(), "{name}");
    }
}

#[test]
fn one_commit_is_held_at_a_time_and_only_with_the_right_key() {
    let from = tempfile::tempdir().unwrap();
    let mut writer = IndexWriter::open(from.path(), key()).unwrap();
    commit(&mut writer, 0);

    let other_key = HeldCommit::take(from.path(), &BlindKey::new([9; 32])).err().unwrap();
    let held = HeldCommit::take(from.path(), &key()).unwrap();
    drop(writer);
    let writer = IndexWriter::open(from.path(), key()).unwrap();
    assert!(held.files().iter().all(|file| file.path.exists()), "what is held was taken for stale");
    let second = HeldCommit::take(from.path(), &key()).err().unwrap();
    drop(held);

    assert!(matches!(other_key, IndexError::OtherKey));
    assert!(matches!(second, IndexError::Locked { .. }));
    drop(writer);
}

#[test]
fn what_a_holder_that_died_left_is_gone_when_the_index_is_opened() {
    let from = tempfile::tempdir().unwrap();
    drop(IndexWriter::open(from.path(), key()).unwrap());
    fs::create_dir(from.path().join("held")).unwrap();
    fs::write(from.path().join("held/left.term"), b"x").unwrap();

    let _writer = IndexWriter::open(from.path(), key()).unwrap();

    assert!(!from.path().join("held").exists());
}
