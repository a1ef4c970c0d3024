//! The shape of the workspace: which way arrows point, what the documents promise, how long a file may be.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use toml::{Table, Value};

/// What each crate may import of ours: the table of the design. A new arrow needs a decision record.
const ARROWS: [(&str, &[&str]); 10] = [
    ("domain", &[]),
    ("ingest", &["domain"]),
    ("reading", &["domain"]),
    ("indexer", &["domain"]),
    ("backends", &["domain"]),
    ("workers", &["domain", "ingest", "reading", "indexer", "backends"]),
    ("archive-api", &["domain", "ingest", "indexer", "backends"]),
    ("guidang", &["domain", "ingest", "reading", "indexer", "backends", "workers", "archive-api"]),
    ("tests", &["domain", "ingest", "reading", "indexer", "backends", "workers", "archive-api"]),
    ("bench", &["domain", "ingest", "reading", "indexer", "backends", "workers", "archive-api"]),
];

/// What only one crate may know.
const SECRETS: [(&str, &str); 9] = [
    ("tantivy", "indexer"),
    ("sqlx", "backends"),
    ("lapin", "backends"),
    ("object_store", "backends"),
    ("aes-gcm", "backends"),
    ("ort", "reading"),
    ("rten", "reading"),
    ("tesseract", "reading"),
    ("hayro", "ingest"),
];

/// Folders that the architecture names and that are not in the repository: inside a data folder or a crate.
const NAMED_ELSEWHERE: [&str; 8] =
    ["index", "intake", "keys", "objects", "log-heads", "run", "sqlite", "postgres"];

/// Lines a file may have without its tests.
const MOST_LINES: usize = 500;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn manifest(folder: &str) -> Result<Table> {
    let path = root().join(folder).join("Cargo.toml");
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    Ok(text.parse()?)
}

/// Names in the sections of a manifest that end in `dependencies`, those for one platform included.
fn dependencies(manifest: &Table, sections: &[&str]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (name, value) in manifest {
        match value {
            Value::Table(section) if sections.contains(&name.as_str()) => {
                names.extend(section.keys().cloned());
            }
            Value::Table(targets) if name == "target" => {
                for target in targets.values().filter_map(Value::as_table) {
                    names.extend(dependencies(target, sections));
                }
            }
            _ => {}
        }
    }
    names
}

const SHIPPED: [&str; 2] = ["dependencies", "build-dependencies"];
const ALL: [&str; 3] = ["dependencies", "build-dependencies", "dev-dependencies"];

fn members() -> Result<BTreeSet<String>> {
    let members = manifest(".")?["workspace"]["members"].clone();
    let members = members.as_array().context("members is a list")?.clone();
    Ok(members.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

/// Every file below `folder` with this ending.
fn files(folder: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path, ending)?);
        } else if path.extension().is_some_and(|this| this == ending) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn source_files() -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for member in members()? {
        for folder in ["src", "tests", "examples", "benches"] {
            let folder = root().join(&member).join(folder);
            if folder.is_dir() {
                found.extend(files(&folder, "rs")?);
            }
        }
    }
    Ok(found)
}

#[test]
fn every_crate_of_the_workspace_is_in_the_table() -> Result<()> {
    let known: BTreeSet<String> = ARROWS.iter().map(|(name, _)| (*name).to_owned()).collect();

    assert_eq!(members()?, known);
    Ok(())
}

#[test]
fn arrows_point_one_way() -> Result<()> {
    let ours: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    for (name, allowed) in ARROWS {
        let imports = dependencies(&manifest(name)?, &ALL);
        let forbidden: Vec<&String> = imports
            .iter()
            .filter(|import| ours.contains(import.as_str()) && !allowed.contains(&import.as_str()))
            .collect();

        assert!(forbidden.is_empty(), "{name} imports {forbidden:?}, which the design does not allow");
    }
    Ok(())
}

#[test]
fn what_one_crate_knows_no_other_imports() -> Result<()> {
    for (name, _) in ARROWS {
        let imports = dependencies(&manifest(name)?, &SHIPPED);
        for (secret, owner) in SECRETS {
            // Tests look at the stores from outside, and measurements compare us with the bare client.
            let is_allowed = name == owner || name == "tests" || name == "bench";
            assert!(
                is_allowed || !imports.contains(secret),
                "{name} imports {secret}, which belongs to {owner}"
            );
        }
    }
    Ok(())
}

#[test]
fn the_domain_has_neither_clock_nor_input_nor_output() -> Result<()> {
    let imports = dependencies(&manifest("domain")?, &SHIPPED);
    for forbidden in ["tokio", "axum", "rand", "reqwest", "tracing", "tempfile"] {
        assert!(!imports.contains(forbidden), "domain imports {forbidden}");
    }
    Ok(())
}

#[test]
fn every_path_in_the_architecture_exists() -> Result<()> {
    let text = fs::read_to_string(root().join("docs/architecture.md"))?;
    let paths: Vec<&str> =
        text.split('`').skip(1).step_by(2).filter(|code| looks_like_a_path(code)).collect();
    assert!(paths.len() > 10, "only {} paths were found", paths.len());
    for path in paths {
        let first = path.split('/').next().unwrap_or_default();
        assert!(
            NAMED_ELSEWHERE.contains(&first) || root().join(path).exists(),
            "docs/architecture.md names {path}"
        );
    }
    Ok(())
}

/// Letters, digits and a few marks with a slash between them; `guidang index rebuild` is none, nor is `/healthz`.
fn looks_like_a_path(code: &str) -> bool {
    code.contains('/')
        && !code.starts_with('/')
        && !code.contains("://")
        && code.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c))
}

#[test]
fn both_engines_have_the_same_migrations() -> Result<()> {
    for folder in ["migrations", "migrations/keys"] {
        let names = |engine: &str| -> Result<BTreeSet<String>> {
            let entries = fs::read_dir(root().join(folder).join(engine))?;
            entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
        };

        assert_eq!(names("sqlite")?, names("postgres")?, "{folder}");
        assert!(!names("sqlite")?.is_empty(), "{folder}");
    }
    Ok(())
}

/// systemd does not start a unit of which such a path is missing.
#[test]
fn whatever_a_unit_may_write_to_the_handbook_makes() -> Result<()> {
    let handbook = fs::read_to_string(root().join("docs/operations.md"))?;
    let mut seen = 0;
    for unit in fs::read_dir(root().join("deploy/systemd"))? {
        let unit = unit?.path();
        let text = fs::read_to_string(&unit)?;
        let paths = text.lines().filter_map(|line| line.strip_prefix("ReadWritePaths="));
        // The home of the user is made with it.
        for path in paths.flat_map(str::split_whitespace).filter(|path| *path != "/var/lib/guidang") {
            let path = path.replace("%i", "TJHX0307");
            seen += 1;
            let made =
                handbook.lines().any(|line| line.contains("install -d -o guidang") && line.contains(&path));
            assert!(made, "{} names {path}, which docs/operations.md does not make", unit.display());
        }
    }
    assert!(seen >= 4, "only {seen} paths were found");
    Ok(())
}

#[test]
fn every_file_says_what_it_is() -> Result<()> {
    for path in source_files()? {
        let text = fs::read_to_string(&path)?;
        // A file of tests beside its module says what it is by its name.
        let is_tests = path.file_name().is_some_and(|name| name == "tests.rs");
        assert!(is_tests || text.starts_with("//!"), "{} has no //! head", path.display());
    }
    Ok(())
}

#[test]
fn no_file_is_longer_than_anyone_reads() -> Result<()> {
    for path in source_files()? {
        let is_tests = path.components().any(|part| part.as_os_str() == "tests")
            || path.file_name().is_some_and(|name| name == "tests.rs");
        let lines = lines_without_tests(&fs::read_to_string(&path)?);
        assert!(is_tests || lines <= MOST_LINES, "{} has {lines} lines without its tests", path.display());
    }
    Ok(())
}

/// Tests stand last, so a file ends for this count where they begin.
fn lines_without_tests(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    let tests =
        lines.windows(2).position(|pair| pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod tests"));
    tests.unwrap_or(lines.len())
}

#[test]
fn every_problem_has_its_page() -> Result<()> {
    let kinds = fs::read_to_string(root().join("archive-api/src/problem/kinds.rs"))?;
    // Each stands as `kind(404, "not_found", …)`.
    let calls =
        kinds.split("kind(").filter(|rest| rest.trim_start().starts_with(|c: char| c.is_ascii_digit()));
    let codes: Vec<&str> = calls.filter_map(|rest| rest.split('"').nth(1)).collect();
    assert!(codes.len() > 5, "only {} codes were found", codes.len());
    for code in codes {
        let page = format!("docs/errors/{code}.md");
        assert!(root().join(&page).exists(), "{page} is missing");
    }
    Ok(())
}
