//! One subcommand a file, with its arguments.

pub mod audit;
pub mod config;
pub mod export;
pub mod forms;
pub mod import;
pub mod index;
pub mod ingest;
pub mod init;
pub mod jobs;
pub mod models;
pub mod outlets;
pub mod search;
pub mod serve;
pub mod show;
pub mod token;
pub mod tray;
pub mod verify;
pub mod watch;
pub mod work;

use crate::{
    cli::{Cli, Command},
    failure::{Failure, OrFail},
    logging::{self, Loudness},
    settings::Settings,
};

/// Runs what the command line asks for.
pub fn run(cli: Cli) -> Result<(), Failure> {
    let settings = Settings::load(cli.data, cli.config)?;
    let is_service = matches!(cli.command, Command::Serve(_) | Command::Watch(_) | Command::Work(_));
    let loudness = if is_service { Loudness::Configured } else { Loudness::Warnings };
    logging::start(&settings.configuration.log, loudness);
    match cli.command {
        Command::Config(arguments) => config::run(&settings, &arguments),
        Command::Models(arguments) => models::run(&settings, &arguments),
        Command::Forms(arguments) => forms::run(&settings, &arguments),
        command => {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
            runtime.or_fail("the program cannot start")?.block_on(run_async(&settings, command))
        }
    }
}

async fn run_async(settings: &Settings, command: Command) -> Result<(), Failure> {
    match command {
        Command::Init(arguments) => init::run(settings, &arguments).await,
        Command::Serve(arguments) => serve::run(settings, &arguments).await,
        Command::Work(arguments) => work::run(settings, &arguments).await,
        Command::Import(arguments) => import::run(settings, &arguments).await,
        Command::Ingest(arguments) => ingest::run(settings, &arguments).await,
        Command::Watch(arguments) => watch::run(settings, &arguments).await,
        Command::Search(arguments) => search::run(settings, &arguments).await,
        Command::Show(arguments) => show::run(settings, &arguments).await,
        Command::Tray(arguments) => tray::run(settings, &arguments).await,
        Command::Jobs(arguments) => jobs::run(settings, &arguments).await,
        Command::Index(arguments) => index::run(settings, &arguments).await,
        Command::Verify(arguments) => verify::run(settings, &arguments).await,
        Command::Audit(arguments) => audit::run(settings, &arguments).await,
        Command::Export(arguments) => export::run(settings, &arguments).await,
        Command::Token(arguments) => token::run(settings, &arguments).await,
        Command::Outlets(arguments) => outlets::run(settings, &arguments).await,
        Command::Config(_) | Command::Models(_) | Command::Forms(_) => Ok(()),
    }
}
