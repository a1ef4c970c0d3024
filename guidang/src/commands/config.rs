//! `guidang config`: checks the configuration, or shows what is in force.

use clap::{Args, Subcommand};

use crate::{
    data_folder::models_folder,
    failure::{Failure, OrFail},
    settings::Settings,
};

/// Arguments of `config`.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Says whether the configuration can be used
    Check,
    /// Shows every value in force; passwords as ***
    Show,
}

/// Checking is what loading does; whoever comes here has a configuration that can be used, but for its forms.
pub fn run(settings: &Settings, arguments: &Arguments) -> Result<(), Failure> {
    settings.forms()?;
    let file =
        settings.file.as_ref().map_or("no file, defaults".to_owned(), |file| file.display().to_string());
    match arguments.action {
        Action::Check => {
            println!("The configuration can be used ({file}).");
            println!("Data folder: {}", settings.data.root().display());
            println!("Models: {}", models_folder(&settings.configuration)?.display());
        }
        Action::Show => {
            let text = toml::to_string_pretty(&settings.configuration)
                .or_fail("the configuration cannot be shown")?;
            println!("# {file}\n{text}");
        }
    }
    Ok(())
}
