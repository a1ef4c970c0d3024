//! Making an archive where there is one already, or something else.

use std::{fs, os::unix::fs::PermissionsExt};

use crate::program::{run, succeed, text};

#[tokio::test(flavor = "multi_thread")]
async fn no_new_root_key_is_made_where_keys_wait_for_theirs() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    succeed(&["--data", text(&data), "init"]).await.unwrap();
    let (key, safe) = (data.join("keys/root.key"), folder.path().join("safe"));
    fs::rename(&key, &safe).unwrap();

    let refused = run(&["--data", text(&data), "init"]).await.unwrap();

    assert!(!refused.is_done && refused.text.contains("put it back"), "{}", refused.text);
    assert!(!key.exists(), "{}", refused.text);
    fs::rename(&safe, &key).unwrap();
    let again = succeed(&["--data", text(&data), "init"]).await.unwrap();
    assert!(again.contains("is there already and stays"), "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_others_could_enter_is_closed_with_a_word_or_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (empty, shared) = (folder.path().join("empty"), folder.path().join("shared"));
    for folder in [&empty, &shared] {
        fs::create_dir(folder).unwrap();
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    }
    fs::write(shared.join("letter.txt"), "x").unwrap();

    let closed = succeed(&["--data", text(&empty), "init"]).await.unwrap();
    let refused = run(&["--data", text(&shared), "init"]).await.unwrap();

    assert!(closed.contains("now only its owner can"), "{closed}");
    assert!(!refused.is_done && refused.text.contains("other things in it"), "{}", refused.text);
    assert_eq!(fs::metadata(&shared).unwrap().permissions().mode() & 0o777, 0o755);
    assert_eq!(fs::read_dir(&shared).unwrap().count(), 1);
}
