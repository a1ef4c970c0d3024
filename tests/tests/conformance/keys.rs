//! Keys: they survive a restart, nest under the key of a case file, and are gone when destroyed.

use std::sync::Arc;

use archive_tests::engines;
use backends::{
    clock::SystemClock,
    connect::Backends,
    vault::{KeyPurpose, RootKey, Wrapper},
};
use chrono::TimeDelta;

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_secrets_are_the_same_after_a_restart() {
    for on in engines::all().await.unwrap() {
        let vault = &on.backends.vault;
        let key = vault.new_key(KeyPurpose::Scan, on.backends.clock.now()).await.unwrap();

        let again = Backends::connect(&on.config, Arc::new(SystemClock)).await.unwrap();

        assert!(again.vault.key(key.id()).await.unwrap().is_some(), "{}", on.name);
        assert_eq!(again.vault.blind_index_secret(), vault.blind_index_secret(), "{}", on.name);
        assert!(again.vault.verifies(b"head", &vault.sign(b"head")), "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_lives_and_dies_with_its_case_file_once_it_is_released() {
    for on in engines::all().await.unwrap() {
        let (vault, now) = (&on.backends.vault, on.backends.clock.now());
        let scan = vault.new_key(KeyPurpose::Scan, now).await.unwrap();
        let case_file = vault.new_key(KeyPurpose::CaseFile, now).await.unwrap();
        vault.hand_over(&scan, &case_file, now).await.unwrap();
        vault.release_from_root(scan.id()).await.unwrap();
        assert!(vault.key(scan.id()).await.unwrap().is_some(), "{}", on.name);

        vault.destroy(case_file.id()).await.unwrap();

        assert!(vault.key(scan.id()).await.unwrap().is_none(), "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_keys_come_together_nested_ones_too_without_those_that_were_destroyed() {
    for on in engines::all().await.unwrap() {
        let (vault, now) = (&on.backends.vault, on.backends.clock.now());
        let case_file = vault.new_key(KeyPurpose::CaseFile, now).await.unwrap();
        let scans = vault.new_keys(KeyPurpose::Scan, 3, now).await.unwrap();
        for scan in &scans[..2] {
            vault.hand_over(scan, &case_file, now).await.unwrap();
            vault.release_from_root(scan.id()).await.unwrap();
        }
        vault.destroy(scans[0].id()).await.unwrap();

        let asked = [case_file.id(), scans[0].id(), scans[1].id(), scans[2].id()];
        let mut found: Vec<_> = vault.keys(&asked).await.unwrap().into_keys().collect();

        found.sort_unstable();
        let mut expected = vec![case_file.id(), scans[1].id(), scans[2].id()];
        expected.sort_unstable();
        assert_eq!(found, expected, "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destroyed_key_is_remembered_and_does_not_come_back() {
    for on in engines::all().await.unwrap() {
        let (vault, now) = (&on.backends.vault, on.backends.clock.now());
        let scan = vault.new_key(KeyPurpose::Scan, now).await.unwrap();
        let case_file = vault.new_key(KeyPurpose::CaseFile, now).await.unwrap();

        vault.destroy(scan.id()).await.unwrap();
        vault.destroy(scan.id()).await.unwrap();
        vault.hand_over(&scan, &case_file, now).await.unwrap();

        assert!(vault.key(scan.id()).await.unwrap().is_none(), "{}", on.name);
        assert!(vault.was_destroyed(scan.id()).await.unwrap(), "{}", on.name);
        assert!(!vault.was_destroyed(case_file.id()).await.unwrap(), "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_root_key_does_not_open_the_store() {
    for on in engines::all().await.unwrap() {
        let mut config = on.config.clone();
        config.root_key = config.root_key.with_extension("other");
        RootKey::create(&config.root_key).unwrap();

        let refused = Backends::connect(&config, Arc::new(SystemClock)).await;

        assert!(refused.is_err(), "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_wrapped_more_than_once_are_found_by_when_that_happened() {
    for on in engines::all().await.unwrap() {
        let (vault, then) = (&on.backends.vault, on.backends.clock.now());
        let later = then + TimeDelta::hours(2);
        let case_file = vault.new_key(KeyPurpose::CaseFile, then).await.unwrap();
        let scans = vault.new_keys(KeyPurpose::Scan, 3, then).await.unwrap();
        vault.hand_over(&scans[0], &case_file, then).await.unwrap();
        vault.hand_over(&scans[1], &case_file, then).await.unwrap();
        vault.release_from_root(scans[1].id()).await.unwrap();
        let of = async |since, until| {
            let found = vault.wrapped_twice(since, until).await.unwrap();
            found.into_iter().map(|(key, wrappers)| (key, wrappers.len())).collect::<Vec<_>>()
        };

        let minute = TimeDelta::minutes(1);
        assert_eq!(of(then, then + minute).await, [(scans[0].id(), 2)], "{}", on.name);
        assert_eq!(of(then + minute, later).await, [], "{}", on.name);
        vault.return_to_root(&scans[0], later).await.unwrap();
        assert_eq!(of(then, then + minute).await, [], "{}: it was wrapped again", on.name);
        assert_eq!(of(later, later + minute).await, [(scans[0].id(), 2)], "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrapping_that_was_made_anew_is_not_released_as_an_old_one() {
    for on in engines::all().await.unwrap() {
        let (vault, then) = (&on.backends.vault, on.backends.clock.now());
        let later = then + TimeDelta::hours(2);
        let case_file = vault.new_key(KeyPurpose::CaseFile, then).await.unwrap();
        let scans = vault.new_keys(KeyPurpose::Scan, 2, then).await.unwrap();
        for scan in &scans {
            vault.hand_over(scan, &case_file, then).await.unwrap();
        }
        vault.hand_over(&scans[0], &case_file, later).await.unwrap();

        for scan in &scans {
            let former = Wrapper::CaseFile(case_file.id());
            vault.release_older(scan.id(), former, then + TimeDelta::minutes(1)).await.unwrap();
            vault.release_from_root(scan.id()).await.unwrap();
        }

        assert!(vault.key(scans[0].id()).await.unwrap().is_some(), "{}: on its way there again", on.name);
        assert!(vault.key(scans[1].id()).await.unwrap().is_none(), "{}", on.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_start_for_the_first_time_at_once_have_the_same_secrets() {
    for on in engines::all().await.unwrap() {
        engines::execute(&on.config.keys_url, "DELETE FROM data_keys").await.unwrap();

        let starting = (0..6).map(|_| Backends::connect(&on.config, Arc::new(SystemClock)));
        let started = futures_util::future::join_all(starting).await;

        let started: Vec<Backends> = started.into_iter().map(Result::unwrap).collect();
        let first = &started[0].vault;
        for other in &started {
            assert_eq!(other.vault.blind_index_secret(), first.blind_index_secret(), "{}", on.name);
            assert!(other.vault.verifies(b"head", &first.sign(b"head")), "{}", on.name);
        }
    }
}
