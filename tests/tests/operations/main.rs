//! What an operator does to an archive as a whole: moving it, backing it up, putting it back, watching it.

#![expect(clippy::unwrap_used, reason = "a broken behaviour must fail the test where it shows")]

mod backups;
mod forms;
mod importing;
mod making;
mod moving;
mod program;
mod watching;
