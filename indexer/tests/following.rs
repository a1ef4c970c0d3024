//! The index follows the catalogue: it resumes, forgets what is deleted, and says when it must be rebuilt.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use common::{case, id, key, upsert};
use domain::blind_index::{BlindField, BlindKey, NumberPattern, address_tokens, name_tokens, number_tokens};
use indexer::{
    document::CaseDocument,
    error::IndexError,
    query::{Query, Scope},
    searcher::Searcher,
    writer::{Change, IndexWriter, Rebuild},
};
use tantivy::{Index, schema::IndexRecordOption};

fn people(range: std::ops::Range<u64>) -> Vec<CaseDocument> {
    range
        .map(|number| CaseDocument {
            slip_number: format!("TJ20260901HX01{number:07}"),
            names: vec![format!("赵{}", char::from_u32(0x4E00 + number as u32).unwrap())],
            id_numbers: vec![format!("1201011985{number:08}")],
            phones: vec![format!("186{number:08}")],
            addresses: vec![format!("天津市和平区第{number}号")],
            ..case(id(number, 1))
        })
        .collect()
}

fn changes(cases: &[CaseDocument]) -> Vec<Change> {
    cases.iter().map(upsert).collect()
}

/// The folder tantivy writes: the generation that is current.
fn generation(root: &Path) -> PathBuf {
    root.join(fs::read_to_string(root.join("current")).unwrap().trim())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

fn folder_contains(folder: &Path, needle: &[u8]) -> bool {
    files(folder)
        .iter()
        .any(|file| fs::read(file).unwrap().windows(needle.len()).any(|bytes| bytes == needle))
}

/// Every term of every segment on disk, deleted documents included, with the ids in the columns.
fn terms_on_disk(root: &Path) -> BTreeSet<(String, Vec<u8>)> {
    let index = Index::open_in_dir(generation(root)).unwrap();
    let searcher = index.reader().unwrap().searcher();
    let mut terms = BTreeSet::new();
    for segment in searcher.segment_readers() {
        for (field, entry) in index.schema().fields().filter(|(_, entry)| entry.is_indexed()) {
            let inverted = segment.inverted_index(field).unwrap();
            let mut stream = inverted.terms().stream().unwrap();
            while stream.advance() {
                let postings =
                    inverted.read_postings_from_terminfo(stream.value(), IndexRecordOption::Basic).unwrap();
                assert!(tantivy::DocSet::doc(&postings) < segment.max_doc());
                terms.insert((entry.name().to_owned(), stream.key().to_vec()));
            }
        }
        let order = segment.fast_fields().u64("order").unwrap();
        for doc in 0..segment.max_doc() {
            let moment = order.first(doc).unwrap() << 20;
            terms.insert(("id column".to_owned(), moment.to_be_bytes().to_vec()));
        }
    }
    terms
}

/// The moment in the id of a case file, as `terms_on_disk` shows it.
fn order_bytes(case: &CaseDocument) -> Vec<u8> {
    let moment = (case.case_file_id.uuid().as_u128() >> 80) as u64;
    (moment << 20).to_be_bytes().to_vec()
}

#[test]
fn a_writer_resumes_at_the_change_it_committed_last() {
    let folder = tempfile::tempdir().unwrap();
    {
        let mut writer = IndexWriter::open(folder.path(), key()).unwrap();
        writer.apply(&changes(&people(0..3)), 3).unwrap();
        assert_eq!(writer.commit().unwrap(), 3);
        writer.apply(&changes(&people(3..5)), 5).unwrap();
        // Dropped without a commit, as by a crash.
    }

    let mut writer = IndexWriter::open(folder.path(), key()).unwrap();
    assert_eq!(writer.reached(), 3);
    writer.apply(&changes(&people(2..5)), 5).unwrap();
    writer.commit().unwrap();

    let searcher = Searcher::open(folder.path(), key()).unwrap();
    assert_eq!((searcher.reached(), searcher.case_files()), (5, 5));
}

#[test]
fn the_number_reached_outlives_merges_purges_and_commits_without_change() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = IndexWriter::open(folder.path(), key()).unwrap();
    for number in 0..20 {
        writer.apply(&changes(&people(number..number + 2)), number + 1).unwrap();
        writer.commit().unwrap();
    }
    writer.commit().unwrap();
    writer.purge().unwrap();
    writer.close().unwrap();

    let writer = IndexWriter::open(folder.path(), key()).unwrap();

    assert_eq!(writer.reached(), 20);
    let status = writer.status().unwrap();
    assert_eq!((status.case_files, status.deleted), (21, 0));
}

#[test]
fn a_purge_removes_the_terms_and_ids_of_deleted_case_files() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = IndexWriter::open(folder.path(), key()).unwrap();
    let mut all = people(0..40);
    // Unlike its neighbours, so that it stands in the file in one piece.
    all[17].slip_number = "ZX9988776655".to_owned();
    writer.apply(&changes(&all[..30]), 1).unwrap();
    writer.commit().unwrap();
    writer.apply(&changes(&all[30..]), 2).unwrap();
    writer.commit().unwrap();
    let gone = &all[17];
    let common: BTreeSet<_> = name_tokens(&key(), ["赵"]).plain.into_iter().collect();
    // The whole numbers, the whole name and its second character: no other case file has them.
    let mut tokens: Vec<_> = name_tokens(&key(), [&*gone.names[0]])
        .plain
        .into_iter()
        .filter(|token| !common.contains(token))
        .collect();
    tokens.push(number_tokens(&key(), BlindField::Phone, [&*gone.phones[0]])[0]);
    tokens.push(number_tokens(&key(), BlindField::IdNumber, [&*gone.id_numbers[0]])[0]);
    let mut marks = vec![
        ("slip_number", gone.slip_number.as_bytes().to_vec()),
        ("id", key().digest(&gone.case_file_id.to_string()).to_vec()),
        ("id column", order_bytes(gone)),
    ];
    marks.extend(tokens.iter().map(|token| ("tokens", token.bytes().to_vec())));

    writer.apply(&[Change::Delete(gone.case_file_id)], 3).unwrap();
    writer.commit().unwrap();
    let before = terms_on_disk(folder.path());
    let had_slip = folder_contains(folder.path(), gone.slip_number.as_bytes());
    let purge = writer.purge().unwrap();

    let after = terms_on_disk(folder.path());
    for mark in &marks {
        let mark = (mark.0.to_owned(), mark.1.clone());
        assert!(before.contains(&mark), "{} must be there before the purge", mark.0);
        assert!(!after.contains(&mark), "{} must be gone after the purge", mark.0);
    }
    assert!(had_slip, "the slip number can be read in the folder before");
    assert!(!folder_contains(folder.path(), gone.slip_number.as_bytes()));
    assert_eq!(purge.segments_rewritten, 1);
    assert_eq!(writer.status().unwrap().case_files, 39);
    only_living_files(folder.path());
}

/// No file of a segment that no longer counts is left in the folder.
fn only_living_files(root: &Path) {
    let generation = generation(root);
    let metas = Index::open_in_dir(&generation).unwrap().searchable_segment_metas().unwrap();
    let living: BTreeSet<String> = metas.iter().map(|meta| meta.id().uuid_string()).collect();
    for file in files(&generation) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let stem = name.split('.').next().unwrap_or_default();
        let is_segment = stem.len() == 32;
        assert!(!is_segment || living.contains(stem), "{name} is left over");
        assert!(file.extension().is_none_or(|extension| extension != "del"), "{name} is left over");
    }
}

#[test]
fn a_purge_of_everything_leaves_an_index_that_works() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = IndexWriter::open(folder.path(), key()).unwrap();
    let all = people(0..5);
    writer.apply(&changes(&all), 1).unwrap();
    writer.commit().unwrap();
    let deletions: Vec<Change> = all.iter().map(|case| Change::Delete(case.case_file_id)).collect();
    writer.apply(&deletions, 2).unwrap();

    writer.purge().unwrap();

    assert!(terms_on_disk(folder.path()).is_empty());
    only_living_files(folder.path());
    writer.apply(&changes(&all[..1]), 3).unwrap();
    writer.commit().unwrap();
    assert_eq!(Searcher::open(folder.path(), key()).unwrap().case_files(), 1);
}

#[test]
fn no_readable_personal_data_reach_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = IndexWriter::open(folder.path(), key()).unwrap();
    let document = case(id(0, 1));
    writer.apply(&[upsert(&document)], 1).unwrap();
    writer.commit().unwrap();
    writer.close().unwrap();

    for text in ["欧阳", "晓岚", "岚", "凤城", "解放南路", "2804", "4516", "1985", "27318846", "273x", "273X"]
    {
        assert!(!folder_contains(folder.path(), text.as_bytes()), "{text}");
    }
    // What may be read is found by the same means.
    assert!(folder_contains(folder.path(), b"TJ20260901HX010100001"));
}

#[test]
fn tokens_of_the_index_are_those_of_the_domain() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = IndexWriter::open(folder.path(), key()).unwrap();
    let document = case(id(0, 1));
    writer.apply(&[upsert(&document)], 1).unwrap();
    writer.commit().unwrap();

    let terms = terms_on_disk(folder.path());

    let count = |field: &str| terms.iter().filter(|(name, _)| name == field).count();
    let addresses = address_tokens(&key(), document.addresses.iter().map(String::as_str));
    assert_eq!(count("addresses"), addresses.len());
    // One whole, one shape, one ending, and a gram at each place, of an identity number also four beginnings;
    // of a name the whole and four characters.
    assert_eq!(count("tokens"), (3 + 15 + 4) + (3 + 8) + (3 + 8) + (1 + 4));
    assert_eq!(count("names"), 3);
}

#[test]
fn there_is_one_writer() {
    let folder = tempfile::tempdir().unwrap();
    let _writer = IndexWriter::open(folder.path(), key()).unwrap();

    assert!(matches!(IndexWriter::open(folder.path(), key()), Err(IndexError::Locked { .. })));
    assert!(matches!(Rebuild::start(folder.path(), key()), Err(IndexError::Locked { .. })));
}

#[test]
fn an_index_of_another_key_or_format_must_be_rebuilt() {
    let folder = tempfile::tempdir().unwrap();
    drop(IndexWriter::open(folder.path(), key()).unwrap());

    let other_key = IndexWriter::open(folder.path(), BlindKey::new([8; 32])).err().unwrap();
    fs::write(generation(folder.path()).join("format"), "0 0011\n").unwrap();
    let other_format = Searcher::open(folder.path(), key()).err().unwrap();

    assert!(matches!(other_key, IndexError::OtherKey) && other_key.needs_rebuild());
    assert!(matches!(other_format, IndexError::OtherFormat { .. }) && other_format.needs_rebuild());
}

#[test]
fn a_damaged_index_is_reported_and_a_rebuild_mends_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = IndexWriter::open(folder.path(), key()).unwrap();
    writer.apply(&changes(&people(0..50)), 1).unwrap();
    writer.commit().unwrap();
    writer.close().unwrap();
    let intact = generation(folder.path());

    for file in files(&intact) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let content = fs::read(&file).unwrap();
        for damaged in [Vec::new(), content[..content.len() / 2].to_vec(), vec![0xA5; content.len()]] {
            fs::write(&file, damaged).unwrap();
            check_damage_is_reported(folder.path(), &name);
        }
        fs::remove_file(&file).unwrap();
        check_damage_is_reported(folder.path(), &name);
        fs::write(&file, content).unwrap();
    }
    fs::write(intact.join("meta.json"), "{}").unwrap();

    let mut rebuild = Rebuild::start(folder.path(), key()).unwrap();
    rebuild.apply(&changes(&people(0..50))).unwrap();
    let writer = rebuild.finish(7).unwrap();
    assert_eq!(writer.reached(), 7);
    assert_eq!(Searcher::open(folder.path(), key()).unwrap().case_files(), 50);
    assert!(!intact.exists());
}

/// Opening, searching or the checksum must say so; nothing may panic.
fn check_damage_is_reported(root: &Path, name: &str) {
    let searched = match Searcher::open(root, key()) {
        Ok(searcher) => {
            let phone = Some(NumberPattern::parse("*1860*"));
            searcher.search(&Query { phone, ..Query::within(Scope::Everything) }).is_err()
        }
        Err(error) => {
            assert!(error.needs_rebuild(), "{name}: {error:?}");
            true
        }
    };
    let opened = match IndexWriter::open(root, key()) {
        Ok(writer) => writer.damaged_files().map_or(true, |files| !files.is_empty()),
        Err(error) => {
            assert!(error.needs_rebuild(), "{name}: {error:?}");
            true
        }
    };
    assert!(searched || opened, "damage to {name} went unnoticed");
}

#[test]
fn searchers_go_on_while_an_index_is_rebuilt_and_then_move_over() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = IndexWriter::open(folder.path(), key()).unwrap();
    writer.apply(&changes(&people(0..3)), 3).unwrap();
    writer.commit().unwrap();
    let searcher = Searcher::open(folder.path(), key()).unwrap();
    drop(writer);

    let mut rebuild = Rebuild::start(folder.path(), key()).unwrap();
    rebuild.apply(&changes(&people(0..8))).unwrap();
    searcher.reload().unwrap();
    assert_eq!(searcher.case_files(), 3);
    let mut writer = rebuild.finish(8).unwrap();
    assert_eq!(searcher.case_files(), 3);
    searcher.reload().unwrap();
    assert_eq!((searcher.case_files(), searcher.reached()), (8, 8));

    writer.apply(&changes(&people(8..9)), 9).unwrap();
    writer.commit().unwrap();
    searcher.reload().unwrap();
    assert_eq!(searcher.reached(), 9);
}

#[test]
fn a_rebuild_that_did_not_finish_leaves_the_index_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = IndexWriter::open(folder.path(), key()).unwrap();
    writer.apply(&changes(&people(0..3)), 3).unwrap();
    writer.commit().unwrap();
    drop(writer);
    let mut rebuild = Rebuild::start(folder.path(), key()).unwrap();
    rebuild.apply(&changes(&people(0..8))).unwrap();
    drop(rebuild);

    let writer = IndexWriter::open(folder.path(), key()).unwrap();

    assert_eq!(writer.reached(), 3);
    let generations =
        fs::read_dir(folder.path()).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_dir());
    assert_eq!(generations.count(), 1);
}

#[test]
fn updating_again_and_again_does_not_make_the_folder_grow() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = IndexWriter::open(folder.path(), key()).unwrap();
    let all = people(0..200);
    writer.apply(&changes(&all), 1).unwrap();
    writer.commit().unwrap();
    let first = writer.size_bytes().unwrap();

    for number in 2..40 {
        writer.apply(&changes(&all), number).unwrap();
        writer.commit().unwrap();
    }
    writer.purge().unwrap();

    assert!(writer.size_bytes().unwrap() < 2 * first);
    assert_eq!(writer.status().unwrap().case_files, 200);
}
