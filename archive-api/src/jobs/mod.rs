//! Jobs, for whoever runs the machine: what waits, what was given up and why. Nothing here is personal.

mod get_jobs;
mod retry;

pub(crate) use get_jobs::get_jobs;
pub(crate) use retry::retry_job;
