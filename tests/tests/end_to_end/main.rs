//! The archive as its users see it: through the real executable, over HTTP, with the real reader.

#![expect(clippy::unwrap_used, reason = "a broken behaviour must fail the test where it shows")]

mod born_digital;
mod command_line;
mod console_search;
mod entering;
mod finding_again;
mod freshness;
mod intake;
mod page_pictures;
mod placing;
mod sample_cases;
mod samples;
mod traces;
mod verifying;
mod watching;
mod who_sees_what;
