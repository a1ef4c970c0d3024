//! Configuration: defaults, a file, the environment; read once, checked before anything starts.

mod check;
mod merge;
mod secret_url;
mod sections;

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use thiserror::Error;
use toml::Table;

pub use sections::{Configuration, EngineChoice, LogFormat, LogSection, TelemetrySection};

/// Name of the file in the data folder and under `/etc/guidang`.
pub const FILE_NAME: &str = "guidang.toml";
const SYSTEM_FILE: &str = "/etc/guidang/guidang.toml";

/// Why the configuration cannot be used. Values are never quoted: one of them may be a password.
#[derive(Debug, Error)]
pub enum ConfigurationError {
    /// A file cannot be read.
    #[error("configuration file {path} cannot be read")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not TOML.
    #[error("configuration file {path} is not valid TOML: {detail}")]
    NotToml {
        /// Which.
        path: PathBuf,
        /// Line, column and what was expected.
        detail: String,
    },
    /// Nobody knows this key.
    #[error("unknown key {key} in {origin}{}", .nearest.as_ref().map(|key| format!("; did you mean {key}?")).unwrap_or_default())]
    UnknownKey {
        /// The key.
        key: String,
        /// File or variable.
        origin: String,
        /// The key that was probably meant.
        nearest: Option<String>,
    },
    /// A variable that could be meant for this program is no key.
    #[error("unknown variable {variable}; {}", .nearest.as_ref().map_or_else(|| "keys are written GUIDANG_SECTION__KEY".to_owned(), |name| format!("did you mean {name}?")))]
    UnknownVariable {
        /// Its name.
        variable: String,
        /// The one that was probably meant.
        nearest: Option<String>,
    },
    /// A value is of the wrong kind.
    #[error("{key} in {origin} must be {wanted}, not {given}")]
    Kind {
        /// The key.
        key: String,
        /// File or variable.
        origin: String,
        /// What it must be.
        wanted: &'static str,
        /// What it is.
        given: &'static str,
    },
    /// A value cannot work.
    #[error("{key}: {problem}")]
    Value {
        /// The key.
        key: String,
        /// What is wrong, and what is possible.
        problem: String,
    },
}

/// Where configuration may come from, as the command line and the environment say.
#[derive(Debug, Default)]
pub struct Sources<'a> {
    /// The file named by `--config` or `GUIDANG_CONFIG`.
    pub file: Option<&'a Path>,
    /// The data folder.
    pub data: Option<&'a Path>,
    /// The environment.
    pub environment: BTreeMap<String, String>,
}

/// A configuration and the file it came from.
#[derive(Debug)]
pub struct Loaded {
    /// The values in force.
    pub configuration: Configuration,
    /// The file; `None` when there is none and defaults hold.
    pub file: Option<PathBuf>,
}

/// Loads and checks the configuration.
pub fn load(sources: &Sources<'_>) -> Result<Loaded, ConfigurationError> {
    let mut values = defaults();
    let file = find_file(sources)?;
    if let Some(path) = &file {
        merge::lay_file(&mut values, read_file(path)?, &path.display().to_string())?;
    }
    for (variable, text) in &sources.environment {
        merge::lay_variable(&mut values, variable, text)?;
    }
    let configuration = typed(values)?;
    check::check(&configuration)?;
    Ok(Loaded { configuration, file })
}

/// Every key with its default.
fn defaults() -> Table {
    Table::try_from(Configuration::default()).unwrap_or_default()
}

/// Turns merged values into sections, one section at a time, so that an error names its section.
fn typed(values: Table) -> Result<Configuration, ConfigurationError> {
    Configuration::deserialize_from(values)
}

impl Configuration {
    fn deserialize_from(values: Table) -> Result<Self, ConfigurationError> {
        let names = merge::known_keys(&values);
        values.try_into().map_err(|error: toml::de::Error| {
            let key = names.iter().find(|key| error.to_string().contains(&format!("in `{key}`")));
            ConfigurationError::Value {
                key: key.cloned().unwrap_or_else(|| "configuration".to_owned()),
                problem: possible(error.message()),
            }
        })
    }
}

/// What could stand there, from a message of the parser, which quotes first what stands there.
fn possible(message: &str) -> String {
    match message.rsplit_once(", expected ").map(|(_, expected)| expected) {
        Some("u32") => format!("takes a whole number from 0 to {}", u32::MAX),
        Some("u64" | "usize") => "takes a whole number of 0 or more".to_owned(),
        Some(expected) => format!("takes {}", expected.replace('`', "")),
        // Such as "invalid socket address syntax": these quote nothing.
        None if !message.contains(['`', '"']) => message.to_owned(),
        None => "cannot be used".to_owned(),
    }
}

fn find_file(sources: &Sources<'_>) -> Result<Option<PathBuf>, ConfigurationError> {
    if let Some(named) = sources.file {
        // A file that was asked for must be there.
        fs::metadata(named)
            .map_err(|source| ConfigurationError::Unreadable { path: named.to_owned(), source })?;
        return Ok(Some(named.to_owned()));
    }
    let in_data = sources.data.map(|data| data.join(FILE_NAME));
    let candidates = in_data.into_iter().chain([PathBuf::from(SYSTEM_FILE)]);
    Ok(candidates.into_iter().find(|path| path.exists()))
}

fn read_file(path: &Path) -> Result<Table, ConfigurationError> {
    let text = fs::read_to_string(path)
        .map_err(|source| ConfigurationError::Unreadable { path: path.to_owned(), source })?;
    text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(0, |span| text[..span.start].matches('\n').count() + 1);
        ConfigurationError::NotToml {
            path: path.to_owned(),
            detail: format!("line {line}: {}", error.message()),
        }
    })
}

#[cfg(test)]
mod tests {
    use archive_api::entries::Column;

    use super::*;

    const SAMPLE: &str = include_str!("../../../guidang.toml");

    fn with_file(text: &str) -> Result<Configuration, ConfigurationError> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE_NAME), text).unwrap();
        let sources = Sources { data: Some(folder.path()), ..Sources::default() };
        load(&sources).map(|loaded| loaded.configuration)
    }

    fn with_variable(name: &str, value: &str) -> Result<Configuration, ConfigurationError> {
        let environment = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        load(&Sources { environment, ..Sources::default() }).map(|loaded| loaded.configuration)
    }

    #[test]
    fn the_defaults_work_with_no_file_at_all() {
        let loaded = load(&Sources::default()).unwrap();

        assert_eq!(loaded.configuration, Configuration::default());
    }

    #[test]
    fn the_sample_file_names_every_key_and_holds_the_defaults() {
        let sample: Table = SAMPLE.parse().unwrap();

        assert_eq!(sample, defaults());
    }

    #[test]
    fn every_section_and_key_of_the_sample_has_a_comment() {
        let mut commented = false;
        for line in SAMPLE.lines().map(str::trim) {
            let is_key = line.contains('=') && !line.starts_with('#');
            assert!(!is_key || commented, "no comment before {line}");
            commented = line.starts_with('#') || (commented && !line.is_empty() && !is_key);
        }
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_nearest_one() {
        let error = with_file("[reading]\nengin = \"rten\"\n").unwrap_err().to_string();

        assert!(error.contains("unknown key reading.engin"), "{error}");
        assert!(error.contains("did you mean reading.engine?"), "{error}");
    }

    #[test]
    fn an_unknown_section_and_an_unknown_variable_are_refused() {
        assert!(
            with_file("[raeding]\nengine = \"rten\"\n")
                .unwrap_err()
                .to_string()
                .contains("did you mean reading")
        );
        let error = with_variable("GUIDANG_SERVER__LISTN", "127.0.0.1:1").unwrap_err().to_string();
        assert!(error.contains("did you mean server.listen?"), "{error}");
    }

    #[test]
    fn the_environment_outranks_the_file() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE_NAME), "[workers]\nslots = 2\nlease_seconds = 90\n").unwrap();
        let environment = BTreeMap::from([("GUIDANG_WORKERS__SLOTS".to_owned(), "7".to_owned())]);

        let loaded = load(&Sources { data: Some(folder.path()), environment, file: None }).unwrap();

        assert_eq!((loaded.configuration.workers.slots, loaded.configuration.workers.lease_seconds), (7, 90));
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_named_and_never_quoted() {
        let error = with_file("[intake]\nmax_pages = \"s3cret\"\n").unwrap_err().to_string();

        assert!(error.contains("intake.max_pages") && error.contains("whole number"), "{error}");
        assert!(!error.contains("s3cret"), "{error}");
    }

    #[test]
    fn what_stands_in_the_place_of_a_word_or_number_is_not_quoted_either() {
        for (text, given) in [
            ("[intake]\nmax_pages = -731\n", "731"),
            ("[log]\nformat = \"s3cret\"\n", "s3cret"),
            ("[reading]\nengine = \"a, expected s3cret\"\n", "s3cret"),
            ("[server]\nlisten = \"s3cret\"\n", "s3cret"),
        ] {
            let error = with_file(text).unwrap_err().to_string();

            assert!(!error.contains(given), "{text}: {error}");
        }
        assert!(with_file("[log]\nformat = \"xml\"\n").unwrap_err().to_string().contains("text or json"));
    }

    #[test]
    fn columns_and_branches_can_be_variables() {
        let column = with_variable("GUIDANG_COLUMNS__SLIP_NUMBER", "订单编号").unwrap();
        let branch = with_variable("GUIDANG_BRANCHES__TJ", "22").unwrap();
        let wrong = with_variable("GUIDANG_COLUMNS__SLIP_NUMBR", "x").unwrap_err().to_string();

        assert_eq!(column.columns.header(Column::SlipNumber), "订单编号");
        assert_eq!(branch.branches.get("TJ").map(String::as_str), Some("22"));
        assert!(wrong.contains("did you mean columns.slip_number?"), "{wrong}");
    }

    #[test]
    fn a_variable_with_our_name_that_is_no_key_is_refused() {
        let check = |name: &str, expected: &str| {
            let error = with_variable(name, "s3cret").unwrap_err().to_string();
            assert!(error.contains(expected) && !error.contains("s3cret"), "{name}: {error}");
        };

        check("GUIDANG_SERVER_LISTEN", "did you mean GUIDANG_SERVER__LISTEN?");
        check("GUIDANG_DTA", "did you mean GUIDANG_DATA?");
        check("GUIDANG_FOO", "keys are written GUIDANG_SECTION__KEY");
        // What an orchestrator says about a service of our name is none of it.
        for name in ["GUIDANG_DATA", "GUIDANG_SERVICE_HOST", "GUIDANG_PORT", "GUIDANG_PORT_8490_TCP_ADDR"] {
            assert!(with_variable(name, "x").is_ok(), "{name}");
        }
    }

    #[test]
    fn a_branch_or_column_of_the_wrong_kind_is_no_unknown_key() {
        let branch = with_file("[branches]\nTJ = 22\n").unwrap_err().to_string();
        let column = with_file("[columns]\nslip_numbr = \"订单编号\"\n").unwrap_err().to_string();

        assert!(branch.contains("branches.TJ") && branch.contains("must be a text"), "{branch}");
        assert!(column.contains("did you mean columns.slip_number?") && !column.contains("订单"), "{column}");
    }

    #[test]
    fn values_that_cannot_work_are_refused() {
        for (text, key) in [
            ("[reading]\nengine = \"paddle\"\n", "ort"),
            ("[workers]\nlease_seconds = 1\n", "workers.lease_seconds"),
            ("[workers]\nlisten = \"8491\"\n", "workers.listen"),
            ("[watch]\npoll_seconds = 0\n", "watch.poll_seconds"),
            ("[intake]\nmax_pages = 0\n", "intake.max_pages"),
            ("[intake]\nmax_pages = -1\n", "takes a whole number from 0 to 4294967295"),
            ("[log]\nfilter = \"loud=very=loud\"\n", "log.filter"),
            ("[database]\nurl = \"mysql://db/x\"\n", "database.url"),
            ("[objects]\nurl = \"gs://bucket\"\n", "objects.url"),
            ("[objects]\nendpoint = \"store:9000\"\n", "objects.endpoint"),
            ("[objects]\ntimeout_seconds = 30\n", "objects.timeout_seconds"),
            ("[telemetry]\nendpoint = \"collector:4318\"\n", "telemetry.endpoint"),
            ("[telemetry]\nendpoint = \"http://\"\n", "telemetry.endpoint"),
            ("[telemetry]\none_in = 0\n", "telemetry.one_in"),
            ("[telemetry]\nservice_name = \"\"\n", "telemetry.service_name"),
            ("[archive]\ndeadlines = \"/nonexistent/deadlines.toml\"\n", "archive.deadlines"),
        ] {
            let error = with_file(text).unwrap_err().to_string();

            assert!(error.contains(key), "{text}: {error}");
        }
    }

    #[test]
    fn a_file_that_was_asked_for_must_exist() {
        let sources = Sources { file: Some(Path::new("/nonexistent/guidang.toml")), ..Sources::default() };

        assert!(matches!(load(&sources), Err(ConfigurationError::Unreadable { .. })));
    }
}
