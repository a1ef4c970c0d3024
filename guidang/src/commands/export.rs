//! `guidang export`: findings or readings in clear, one JSON object a line. Put on the operation log first.

use std::{
    fs::{self, OpenOptions},
    io::{self, BufWriter, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use archive_api::tokens::local_caller;
use backends::error::StorageError;
use clap::{Args, ValueEnum};
use domain::access::Action;
use workers::export::{Export, export};

use crate::{
    failure::{Failure, OrFail},
    settings::Settings,
};

/// Arguments of `export`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// What to write: findings (slip_number, code, subject …) or readings (slip_number, slot, field, text,
    /// confidence …; the best reading of each field)
    what: What,
    /// The form
    #[arg(long, default_value = "jsonl")]
    format: Format,
    /// The file to write; standard output when absent
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    Findings,
    Readings,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Jsonl,
}

/// Exports as the account of this machine, if its role may.
pub async fn run(settings: &Settings, arguments: &Arguments) -> Result<(), Failure> {
    let Format::Jsonl = arguments.format;
    let backends = settings.backends_without_proof().await?;
    let caller = local_caller(&backends).await.or_fail("the account of this machine cannot act")?;
    if !caller.has(Action::Export) {
        return Err(Failure::new(format!("the role {} may not export", caller.role)));
    }
    let (what, name) = match arguments.what {
        What::Findings => (Export::Findings, "findings"),
        What::Readings => (Export::Readings, "readings"),
    };
    let entry = caller.log_entry(backends.clock.now(), "export", ("export", name.to_owned()), "done");
    let mut out = Output::open(arguments.out.as_deref())?;
    let written = export(&backends, what, &entry, |value| {
        serde_json::to_writer(&mut out.writer, value)
            .map_err(io::Error::from)
            .and_then(|()| out.writer.write_all(b"\n"))
            .map_err(|source| StorageError::Unavailable { what: "the output", source: source.into() })
    });
    let lines = written.await.or_fail("the export did not end")?;
    out.finish()?;
    if arguments.out.is_some() {
        println!("{lines} {name}");
    }
    Ok(())
}

/// Where the lines go; a file is readable by its owner alone and has its name only once it is whole.
struct Output {
    writer: BufWriter<Box<dyn Write + Send>>,
    rename: Option<(PathBuf, PathBuf)>,
}

impl Output {
    fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else {
            return Ok(Self { writer: BufWriter::new(Box::new(io::stdout())), rename: None });
        };
        let mut unfinished = path.to_owned().into_os_string();
        unfinished.push(".part");
        let unfinished = PathBuf::from(unfinished);
        crate::data_folder::remove_if_there(&unfinished)
            .or_fail(format!("{} is in the way", unfinished.display()))?;
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished);
        let file = file.or_fail(format!("{} cannot be written", path.display()))?;
        Ok(Self { writer: BufWriter::new(Box::new(file)), rename: Some((unfinished, path.to_owned())) })
    }

    fn finish(mut self) -> Result<(), Failure> {
        self.writer.flush().or_fail("the export cannot be written")?;
        drop(self.writer);
        match self.rename {
            Some((from, to)) => fs::rename(&from, &to).or_fail(format!("{} cannot be written", to.display())),
            None => Ok(()),
        }
    }
}
