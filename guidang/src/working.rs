//! What a process needs before it works: models, readers, slots; and what a process that died left behind.

use backends::connect::Backends;
use chrono::TimeDelta;
use domain::{archival_code::ArchivalCodePattern, job::JobName};
use reading::{models, models::NeededBy};
use workers::{
    context::{WorkContext, WorkOptions},
    reader_pool::ReaderPool,
    work_loop::WorkLoop,
};

use crate::{
    configuration::EngineChoice,
    data_folder::models_folder,
    failure::{Failure, OrFail},
    settings::Settings,
};

/// Starts the slots for these kinds of jobs.
pub fn start(settings: &Settings, backends: &Backends, names: &[JobName]) -> Result<WorkLoop, Failure> {
    check_models(settings)?;
    Ok(WorkLoop::start(&context(settings, backends)?, names))
}

/// Refuses a catalogue that this process could not share with others.
pub fn require_shared(backends: &Backends, command: &str) -> Result<(), Failure> {
    if backends.database.is_shared() {
        return Ok(());
    }
    let sentence = format!(
        "`{command}` needs a catalogue that many processes share: set database.url and keys.url to postgres://…; \
         with SQLite `guidang serve` does everything itself"
    );
    Err(Failure::new(sentence))
}

/// Asks the queue whether it can be used, and gives work back that died with the process before, where no other
/// process can have it. The caller holds the lock of the data folder.
pub async fn take_over(backends: &Backends) -> Result<(), Failure> {
    backends.queue.probe().await.or_fail("jobs cannot be announced")?;
    if backends.database.is_shared() {
        // Other processes may be at work: only the end of a lease tells who is dead.
        return Ok(());
    }
    let mut tx = backends.database.begin().await.or_fail("the catalogue cannot be written")?;
    let now = backends.clock.now();
    let ended = tx.timetable().end_all_leases(now).await.or_fail("leases of the dead cannot be ended")?;
    tx.commit().await.or_fail("the catalogue cannot be written")?;
    if ended > 0 {
        tracing::info!(jobs = ended, "jobs of a process that died are taken up again");
    }
    Ok(())
}

/// A missing or altered model is said at start, not by every scan.
fn check_models(settings: &Settings) -> Result<(), Failure> {
    let needs = match settings.configuration.reading.engine {
        EngineChoice::Ort => NeededBy::OnnxRuntimeOnly,
        EngineChoice::Rten | EngineChoice::Tesseract => NeededBy::EveryModelEngine,
    };
    let folder = models_folder(&settings.configuration)?;
    let sentence = format!("the models in {} cannot be used; run `guidang models install`", folder.display());
    models::check(&folder, needs).map(|_| ()).or_fail(sentence)
}

fn context(settings: &Settings, backends: &Backends) -> Result<WorkContext, Failure> {
    let threads = settings.reading_threads();
    let section = &settings.configuration.workers;
    let options = WorkOptions {
        slots: if section.slots == 0 { threads + 1 } else { section.slots },
        lease: TimeDelta::seconds(section.lease_seconds.into()),
        max_attempts: section.max_attempts.into(),
        open_days: section.open_days.into(),
    };
    let pattern = ArchivalCodePattern::parse(&settings.configuration.archive.code_pattern);
    Ok(WorkContext {
        backends: backends.clone(),
        readers: ReaderPool::start(threads, &settings.sandbox()?, &settings.reader_options()?),
        options,
        archival_pattern: pattern.or_fail("archive.code_pattern cannot be used")?,
    })
}
