//! One subcommand a file, with its arguments.

pub mod audit;
pub mod backup;
pub mod config;
pub mod export;
pub mod forms;
pub mod import;
pub mod index;
pub mod index_node;
pub mod ingest;
pub mod init;
pub mod jobs;
pub mod migrate_data;
pub mod models;
pub mod outlets;
pub mod restore;
pub mod search;
pub mod serve;
pub mod show;
pub mod token;
pub mod tray;
pub mod verify;
pub mod watch;
pub mod work;

use std::time::Duration;

use crate::{
    cli::{Cli, Command},
    failure::{Failure, OrFail},
    logging::{self, Loudness},
    settings::Settings,
    telemetry::Telemetry,
};

/// How long threads that still run when a command has ended may take.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Runs what the command line asks for.
pub fn run(cli: Cli) -> Result<(), Failure> {
    let settings = Settings::load(cli.data, cli.config)?;
    let is_service = matches!(
        cli.command,
        Command::Serve(_) | Command::Watch(_) | Command::Work(_) | Command::IndexNode(_)
    );
    let loudness = if is_service { Loudness::Configured } else { Loudness::Warnings };
    let opens_nothing = matches!(cli.command, Command::Config(_) | Command::Models(_) | Command::Forms(_));
    let telemetry = if opens_nothing { None } else { Telemetry::start(&settings.configuration.telemetry)? };
    logging::start(&settings.configuration.log, loudness, telemetry.as_ref().map(Telemetry::layer));
    let ended = run_command(&settings, cli.command);
    if let Some(telemetry) = telemetry {
        telemetry.stop();
    }
    ended
}

fn run_command(settings: &Settings, command: Command) -> Result<(), Failure> {
    match command {
        Command::Config(arguments) => config::run(settings, &arguments),
        Command::Models(arguments) => models::run(settings, &arguments),
        Command::Forms(arguments) => forms::run(settings, &arguments),
        command => {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
            let runtime = runtime.or_fail("the program cannot start")?;
            let ended = runtime.block_on(run_async(settings, command));
            // Whatever must end well was waited for; a page that is still being read was given back.
            runtime.shutdown_timeout(LAST_WORDS);
            ended
        }
    }
}

async fn run_async(settings: &Settings, command: Command) -> Result<(), Failure> {
    match command {
        Command::Init(arguments) => init::run(settings, &arguments).await,
        Command::Serve(arguments) => serve::run(settings, &arguments).await,
        Command::Work(arguments) => work::run(settings, &arguments).await,
        Command::IndexNode(arguments) => index_node::run(settings, &arguments).await,
        Command::Import(arguments) => import::run(settings, &arguments).await,
        Command::Ingest(arguments) => ingest::run(settings, &arguments).await,
        Command::Watch(arguments) => watch::run(settings, &arguments).await,
        Command::Search(arguments) => search::run(settings, &arguments).await,
        Command::Show(arguments) => show::run(settings, &arguments).await,
        Command::Tray(arguments) => tray::run(settings, &arguments).await,
        Command::Jobs(arguments) => jobs::run(settings, &arguments).await,
        Command::Index(arguments) => index::run(settings, &arguments).await,
        Command::Verify(arguments) => verify::run(settings, &arguments).await,
        Command::Backup(arguments) => backup::run(settings, &arguments).await,
        Command::Restore(arguments) => restore::run(settings, &arguments).await,
        Command::MigrateData(arguments) => migrate_data::run(&arguments).await,
        Command::Audit(arguments) => audit::run(settings, &arguments).await,
        Command::Export(arguments) => export::run(settings, &arguments).await,
        Command::Token(arguments) => token::run(settings, &arguments).await,
        Command::Outlets(arguments) => outlets::run(settings, &arguments).await,
        Command::Config(_) | Command::Models(_) | Command::Forms(_) => Ok(()),
    }
}
