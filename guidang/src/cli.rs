//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::commands::{
    audit, backup, config, export, forms, import, index, index_node, ingest, init, jobs, migrate_data,
    models, outlets, restore, search, serve, show, token, tray, verify, watch, work,
};

/// Guidang (归档): document archive with OCR ingestion.
#[derive(Debug, Parser)]
#[command(name = "guidang", version, about, disable_help_subcommand = true, arg_required_else_help = true)]
pub struct Cli {
    /// The data folder [default: what the system's conventions name; also GUIDANG_DATA]
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The configuration file [default: guidang.toml in the data folder; also GUIDANG_CONFIG]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// Every subcommand.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Makes a new, empty archive
    Init(init::Arguments),
    /// Runs the archive: API, console, workers and index
    Serve(serve::Arguments),
    /// Works on jobs without an API, beside servers on the same PostgreSQL
    Work(work::Arguments),
    /// Searches and nothing else, beside servers on the same PostgreSQL
    IndexNode(index_node::Arguments),
    /// Takes in what the business system exports
    Import(import::Arguments),
    /// Takes in scans: files and folders
    Ingest(ingest::Arguments),
    /// Takes in whatever a scanner puts into a folder
    Watch(watch::Arguments),
    /// Finds case files
    Search(Box<search::Arguments>),
    /// Shows one case file
    Show(show::Arguments),
    /// Scans that belong to no case file yet
    Tray(tray::Arguments),
    /// Jobs: lists, explains, tries again
    Jobs(jobs::Arguments),
    /// The search index
    Index(index::Arguments),
    /// Checks that everything received is there and nothing is wrong
    Verify(verify::Arguments),
    /// Copies one state of the archive while it is at work
    Backup(backup::Arguments),
    /// Puts a backup back into an empty place
    Restore(restore::Arguments),
    /// Moves an embedded archive into a distributed one
    MigrateData(migrate_data::Arguments),
    /// The operation log
    Audit(audit::Arguments),
    /// Writes findings or readings, in clear, for whoever may have them
    Export(export::Arguments),
    /// Tokens for the API
    Token(token::Arguments),
    /// Outlets and branches
    Outlets(outlets::Arguments),
    /// The configuration
    Config(config::Arguments),
    /// Recognition models
    Models(models::Arguments),
    /// What papers look like
    Forms(forms::Arguments),
}
