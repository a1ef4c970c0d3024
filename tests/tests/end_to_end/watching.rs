//! A scanner folder: `guidang watch` beside a running server.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::ExitStatus,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use archive_tests::{
    client::OutgoingFile,
    entries::{self, Entry},
    hostile, scans,
    server::{Setup, TestServer},
};
use tempfile::TempDir;
use tokio::process::{Child, Command};

const OUTLET: &str = "TJHX0101";
const PATIENCE: Duration = Duration::from_mins(1);

/// A folder with a watcher at it and a server behind it.
struct Scanner {
    server: TestServer,
    folder: TempDir,
    watcher: Child,
}

impl Scanner {
    async fn start() -> Result<Self> {
        let setup = Setup::for_drills().with("WATCH__QUIET_SECONDS", "1").with("WATCH__POLL_SECONDS", "1");
        let server = setup.start().await?;
        let entered = entries::csv(&[Entry::of(1, OUTLET), Entry::of(2, OUTLET)]);
        server.archivist()?.import(entered).await?.document()?;
        let folder = tempfile::tempdir()?;
        let watcher = watch(&server, folder.path(), &[])?;
        Ok(Self { server, folder, watcher })
    }

    fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    fn drop_file(&self, below: &str, file: &OutgoingFile) -> Result<()> {
        let path = self.path(below);
        fs::create_dir_all(path.parent().context("a file stands in a folder")?)?;
        Ok(fs::write(path, &file.bytes)?)
    }

    async fn wait_for(&self, below: &str) -> Result<()> {
        let started = Instant::now();
        while !self.path(below).exists() {
            if started.elapsed() > PATIENCE {
                bail!("{below} did not come; there are {:?}", files_below(self.folder.path())?);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    async fn scans(&self) -> Result<usize> {
        Ok(self.server.catalogue().await?.scans().await?.len())
    }
}

fn watch(server: &TestServer, folder: &Path, more: &[&str]) -> Result<Child> {
    let folder = folder.to_str().context("the folder has a plain name")?;
    let mut arguments = vec!["watch", folder, "--outlet", OUTLET, "--subfolders-are-slips"];
    arguments.extend_from_slice(more);
    server.start(&arguments)
}

async fn terminate(child: &mut Child) -> Result<ExitStatus> {
    let pid = child.id().context("it has ended by itself")?.to_string();
    Command::new("kill").args(["-TERM", &pid]).status().await?;
    Ok(tokio::time::timeout(PATIENCE, child.wait()).await??)
}

fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { files.extend(files_below(&path)?) } else { files.push(path) }
    }
    files.sort();
    Ok(files)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_scanner_drops_is_taken_once_it_stands_still_and_what_is_no_scan_is_put_aside_with_the_reason()
{
    let mut scanner = Scanner::start().await.unwrap();
    let slip = entries::slip_number(1, OUTLET);
    scanner.drop_file("plain.png", &scans::small_page(1).unwrap()).unwrap();
    scanner.drop_file(&format!("{slip}/front.png"), &scans::small_page(2).unwrap()).unwrap();
    scanner.drop_file("broken.jpg", &OutgoingFile::new("broken.jpg", b"no picture".to_vec())).unwrap();
    for litter in ["Thumbs.db", ".hidden", "half.png.part"] {
        scanner.drop_file(litter, &scans::small_page(3).unwrap()).unwrap();
    }
    // A scanner that writes slowly: never as long without a byte as a file must stand still.
    let growing = scans::small_page(4).unwrap();
    let mut file = File::create(scanner.path("growing.png")).unwrap();
    for piece in growing.bytes.chunks(growing.bytes.len().div_ceil(6)) {
        file.write_all(piece).unwrap();
        file.sync_all().unwrap();
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    drop(file);

    for taken in ["done/plain.png", &format!("done/{slip}/front.png"), "done/growing.png"] {
        scanner.wait_for(taken).await.unwrap();
    }
    scanner.wait_for("failed/broken.jpg.txt").await.unwrap();

    assert!(terminate(&mut scanner.watcher).await.unwrap().success());
    let why = fs::read_to_string(scanner.path("failed/broken.jpg.txt")).unwrap();
    assert!(why.contains("JPEG"), "{why}");
    assert!(scanner.path("failed/broken.jpg").exists());
    for litter in ["Thumbs.db", ".hidden", "half.png.part"] {
        assert!(scanner.path(litter).exists(), "{litter} is gone");
    }
    assert!(!scanner.path(&slip).exists(), "an emptied folder stays");
    scanner.server.wait_until_settled().await.unwrap();
    let catalogue = scanner.server.catalogue().await.unwrap();
    let scans = catalogue.scans().await.unwrap();
    assert_eq!(scans.len(), 3);
    assert_eq!(scans.iter().filter(|scan| scan.slip_number_given.as_deref() == Some(&slip)).count(), 1);
    assert!(scans.iter().all(|scan| scan.outlet_code.as_deref() == Some(OUTLET)));
    assert!(scans.iter().any(|scan| scan.digest.is_of(&growing.bytes)), "it was taken before it was whole");
    drop(catalogue);
    scanner.server.verify().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_told_at_once_or_as_soon_as_that_turns_out() {
    let mut scanner = Scanner::start().await.unwrap();
    let slip = entries::slip_number(1, OUTLET);
    let file = |name: &str, bytes| OutgoingFile::new(name, bytes);
    scanner.drop_file("locked.pdf", &file("locked.pdf", hostile::encrypted_pdf())).unwrap();
    let without_pages = file("empty.pdf", hostile::pdf_without_pages());
    scanner.drop_file(&format!("{slip}/empty.pdf"), &without_pages).unwrap();

    scanner.wait_for("failed/locked.pdf.txt").await.unwrap();
    scanner.wait_for(&format!("failed/{slip}/empty.pdf.txt")).await.unwrap();

    let why = |below: &str| fs::read_to_string(scanner.path(below)).unwrap();
    assert!(why("failed/locked.pdf.txt").contains("密码"), "{}", why("failed/locked.pdf.txt"));
    let of_empty = why(&format!("failed/{slip}/empty.pdf.txt"));
    assert!(of_empty.contains("没有页面") && of_empty.contains("no page in the file"), "{of_empty}");
    assert_eq!(scanner.scans().await.unwrap(), 1, "what was refused was kept, or what was received was not");
    assert!(terminate(&mut scanner.watcher).await.unwrap().success());
    scanner.server.wait_until_settled().await.unwrap();
    scanner.server.verify().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_never_taken_twice_and_waits_for_a_server_that_is_away() {
    let mut scanner = Scanner::start().await.unwrap();
    scanner.drop_file("a.png", &scans::small_page(1).unwrap()).unwrap();
    scanner.wait_for("done/a.png").await.unwrap();

    // As after a watcher that was killed between sending and moving: the same file, of the same time, is there again.
    scanner.watcher.kill().await.unwrap();
    fs::rename(scanner.path("done/a.png"), scanner.path("a.png")).unwrap();
    scanner.watcher = watch(&scanner.server, scanner.folder.path(), &[]).unwrap();
    scanner.wait_for("done/a.png").await.unwrap();
    assert_eq!(scanner.scans().await.unwrap(), 1);

    scanner.server.kill().await.unwrap();
    scanner.drop_file("b.png", &scans::small_page(2).unwrap()).unwrap();
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert!(scanner.path("b.png").exists(), "it was put away without a server");
    scanner.server.restart().await.unwrap();
    scanner.wait_for("done/b.png").await.unwrap();

    assert!(terminate(&mut scanner.watcher).await.unwrap().success());
    scanner.drop_file("c.png", &scans::small_page(3).unwrap()).unwrap();
    let mut once = watch(&scanner.server, scanner.folder.path(), &["--once"]).unwrap();
    assert!(tokio::time::timeout(PATIENCE, once.wait()).await.unwrap().unwrap().success());
    assert!(scanner.path("done/c.png").exists());
    scanner.server.wait_until_settled().await.unwrap();
    assert_eq!(scanner.scans().await.unwrap(), 3);
    scanner.server.verify().await.unwrap();
}
