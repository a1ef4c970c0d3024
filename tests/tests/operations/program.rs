//! The executable on a folder of any shape.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Result, ensure};
use archive_tests::{engines::PrivatePostgres, server};
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// What a command said, and whether it did what it was asked for.
pub struct Said {
    pub is_done: bool,
    /// The exit status.
    pub status: Option<i32>,
    pub text: String,
}

/// Starts the executable with these arguments and without variables of its own.
pub fn start(arguments: &[&str]) -> Result<Child> {
    let mut command = Command::new(server::program()?);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Ok(command.kill_on_drop(true).spawn()?)
}

/// Runs the executable to its end.
pub async fn run(arguments: &[&str]) -> Result<Said> {
    let done = start(arguments)?.wait_with_output().await?;
    let text = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    Ok(Said { is_done: done.status.success(), status: done.status.code(), text })
}

/// Runs the executable to its end; anything but success is an error.
pub async fn succeed(arguments: &[&str]) -> Result<String> {
    let said = run(arguments).await?;
    ensure!(said.is_done, "guidang {}:\n{}", arguments.join(" "), said.text);
    Ok(said.text)
}

/// Requires that every invariant holds in a data folder whose index, if there is one, is made anew first: it is in no
/// backup.
pub async fn verify(data: &Path) -> Result<String> {
    succeed(&["--data", text(data), "index", "rebuild"]).await?;
    let lines = succeed(&["--data", text(data), "verify"]).await?;
    ensure!(lines.lines().filter(|line| line.starts_with("ok")).count() == 8, "{lines}");
    Ok(lines)
}

/// A data folder whose catalogue and keys are on PostgreSQL.
pub struct DistributedFolder {
    pub data: PathBuf,
    pub database_url: String,
    _folder: TempDir,
}

impl DistributedFolder {
    /// Makes the folder and two empty databases.
    pub fn new(server: &PrivatePostgres, name: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let data = folder.path().join("data");
        fs::create_dir(&data)?;
        let (database_url, keys) =
            (server.url(&format!("{name}_catalogue"))?, server.url(&format!("{name}_keys"))?);
        let objects = folder.path().join("objects");
        let configuration = format!(
            "[database]\nurl = \"{database_url}\"\n[keys]\nurl = \"{keys}\"\n[objects]\nurl = \"file:{}\"\n",
            objects.display()
        );
        fs::write(data.join("guidang.toml"), configuration)?;
        Ok(Self { data, database_url, _folder: folder })
    }

    /// Puts the root key of another archive into its place.
    pub fn bring_root_key(&self, from: &Path) -> Result<()> {
        bring_root_key(from, &self.data)
    }
}

/// Copies the root key, as an operator brings it from its safe.
pub fn bring_root_key(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to.join("keys"))?;
    fs::copy(from.join("keys/root.key"), to.join("keys/root.key"))?;
    Ok(())
}

/// A path as an argument.
pub fn text(path: &Path) -> &str {
    path.to_str().unwrap_or_default()
}

#[tokio::test]
async fn a_command_whose_output_nobody_reads_ends_without_a_word() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    succeed(&["--data", text(&data), "init"]).await?;

    for arguments in [["verify", ""], ["jobs", "list"], ["config", "show"]] {
        let arguments = arguments.iter().copied().filter(|argument| !argument.is_empty());
        let arguments: Vec<&str> = ["--data", text(&data)].into_iter().chain(arguments).collect();
        let mut child = start(&arguments)?;
        drop(child.stdout.take());
        let done = child.wait_with_output().await?;

        let complained = String::from_utf8_lossy(&done.stderr);
        ensure!(complained.is_empty() && done.status.code() == Some(141), "{arguments:?}: {complained}");
    }
    Ok(())
}
