//! What a command was told: data folder, configuration, and how to open what they name.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use backends::{
    blob_store::{Addressing, Proof, S3Credentials, S3Settings},
    clock::SystemClock,
    connect::{Backends, BackendsConfig},
};
use ingest::Sandbox;
use reading::{ReaderOptions, forms::FormSet, recognition::Engine};
use workers::verify::Places;

use crate::{
    configuration::{self, Configuration, EngineChoice, Sources},
    data_folder::{DataFolder, models_folder},
    failure::{Failure, OrFail},
};

/// CPU time a page may take for second looks.
const SECOND_LOOK_BUDGET_MS: u32 = 600;

/// Data folder and configuration in force.
#[derive(Debug)]
pub struct Settings {
    /// The data folder.
    pub data: DataFolder,
    /// The configuration.
    pub configuration: Configuration,
    /// The file it came from.
    pub file: Option<PathBuf>,
    /// Key of the object store, when it came by the environment.
    s3_credentials: Option<S3Credentials>,
}

impl Settings {
    /// Finds the data folder, then reads and checks the configuration.
    pub fn load(data: Option<PathBuf>, file: Option<PathBuf>) -> Result<Self, Failure> {
        let environment = environment();
        let data = data.or_else(|| environment.get("GUIDANG_DATA").map(PathBuf::from));
        let file = file.or_else(|| environment.get("GUIDANG_CONFIG").map(PathBuf::from));
        let data = DataFolder::locate(data.as_deref())?;
        let sources = Sources { file: file.as_deref(), data: Some(data.root()), environment };
        let loaded = configuration::load(&sources).or_fail("the configuration cannot be used")?;
        let s3_credentials = credentials_of_environment();
        Ok(Self { data, configuration: loaded.configuration, file: loaded.file, s3_credentials })
    }

    /// What a folder alone says, with the variables given.
    pub fn of_folder(folder: &Path, environment: BTreeMap<String, String>) -> Result<Self, Failure> {
        let data = DataFolder::locate(Some(folder))?;
        let sources = Sources { file: None, data: Some(data.root()), environment };
        let sentence = format!("the configuration in {} cannot be used", data.root().display());
        let loaded = configuration::load(&sources).or_fail(sentence)?;
        let s3_credentials = credentials_of_environment();
        Ok(Self { data, configuration: loaded.configuration, file: loaded.file, s3_credentials })
    }

    /// Opens catalogue, keys, objects and bell, and asks the object store for every promise that writing relies on.
    pub async fn backends(&self) -> Result<Backends, Failure> {
        self.connect(Proof::EveryPromise).await
    }

    /// The same for a command that stores no object: that the store answers is enough.
    pub async fn backends_without_proof(&self) -> Result<Backends, Failure> {
        self.connect(Proof::Answer).await
    }

    async fn connect(&self, proof: Proof) -> Result<Backends, Failure> {
        self.data.check()?;
        let mut config = self.backends_config()?;
        config.s3.proof = proof;
        Backends::connect(&config, Arc::new(SystemClock)).await.or_fail("the archive cannot be opened")
    }

    /// Where everything is kept, with what opens it.
    pub fn backends_config(&self) -> Result<BackendsConfig, Failure> {
        let mut config = self.data.backends(&self.configuration);
        config.s3 = self.s3()?;
        Ok(config)
    }

    /// How the object store is reached, when it is a remote one.
    fn s3(&self) -> Result<S3Settings, Failure> {
        let section = &self.configuration.objects;
        let file = &section.credentials;
        let credentials = if file.as_os_str().is_empty() {
            self.s3_credentials.clone()
        } else {
            Some(S3Credentials::from_file(file).or_fail("objects.credentials cannot be used")?)
        };
        let ca_file = &section.ca_file;
        let encryption = &section.quarantine_encryption;
        Ok(S3Settings {
            endpoint: section.endpoint.reveal().to_owned(),
            region: section.region.clone(),
            addressing: if section.path_style { Addressing::Path } else { Addressing::VirtualHost },
            credentials,
            authorities: (!ca_file.as_os_str().is_empty()).then(|| ca_file.clone()),
            timeout: Duration::from_secs(section.timeout_seconds),
            quarantine_encryption: (!encryption.is_empty()).then(|| encryption.clone()),
            proof: Proof::EveryPromise,
        })
    }

    /// The process that decodes untrusted files: the decoder beside this program, or this program again.
    pub fn sandbox(&self) -> Result<Sandbox, Failure> {
        let executable = std::env::current_exe().or_fail("this program does not find itself")?;
        let mut sandbox = Sandbox::of_program(executable, self.configuration.intake);
        sandbox.allow_unsandboxed = self.configuration.sandbox.allow_unsandboxed;
        Ok(sandbox)
    }

    /// How readers are opened.
    pub fn reader_options(&self) -> Result<ReaderOptions, Failure> {
        let section = &self.configuration.reading;
        let engine = match section.engine {
            EngineChoice::Ort => Engine::Ort,
            EngineChoice::Rten => Engine::Rten,
            EngineChoice::Tesseract => Engine::Tesseract,
        };
        Ok(ReaderOptions {
            models: models_folder(&self.configuration)?,
            engine,
            forms: self.forms()?,
            second_look_budget_ms: SECOND_LOOK_BUDGET_MS,
            second_opinion: section.second_opinion,
        })
    }

    /// The forms of the program and of the operator.
    pub fn forms(&self) -> Result<FormSet, Failure> {
        let folder = &self.configuration.reading.forms;
        let forms =
            if folder.as_os_str().is_empty() { FormSet::embedded() } else { FormSet::with_folder(folder) };
        forms.or_fail("the forms cannot be used")
    }

    /// How many threads read.
    pub fn reading_threads(&self) -> usize {
        match self.configuration.reading.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        }
    }

    /// Where `verify` looks.
    pub fn places(&self) -> Places {
        Places {
            index: self.data.index(&self.configuration),
            heads: self.data.log_heads(),
            data: self.data.root().to_owned(),
            elsewhere: self.elsewhere(),
        }
    }

    /// What of the archive does not lie in its data folder.
    fn elsewhere(&self) -> Vec<&'static str> {
        let configuration = &self.configuration;
        let places = [
            (configuration.database.url.reveal().starts_with("postgres"), "PostgreSQL"),
            (configuration.objects.url.reveal().starts_with("s3:"), "the object store"),
            (configuration.queue.url.reveal().starts_with("amqp"), "the message broker"),
        ];
        places.into_iter().filter(|(is_there, _)| *is_there).map(|(_, name)| name).collect()
    }
}

/// Key and secret under the names that every program for S3 knows. Read once.
#[expect(clippy::disallowed_methods, reason = "this is the executable reading its configuration")]
fn credentials_of_environment() -> Option<S3Credentials> {
    let value = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    Some(S3Credentials {
        access_key_id: value("AWS_ACCESS_KEY_ID")?,
        secret_access_key: value("AWS_SECRET_ACCESS_KEY")?,
        session_token: value("AWS_SESSION_TOKEN"),
    })
}

/// The variables that are ours. Read once.
fn environment() -> BTreeMap<String, String> {
    let variables = std::env::vars_os();
    let texts =
        variables.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    texts.filter(|(name, _)| name.starts_with("GUIDANG_")).collect()
}
