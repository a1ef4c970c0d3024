//! When nobody reads any more what a command prints, as in `guidang verify | head`, the command ends without a word.
//!
//! `println!` panics then. Giving SIGPIPE back its power would be the other way, but it would also end a server whose
//! decoder has died.

use std::{any::Any, panic, process};

/// What shells show for a program that ended because of SIGPIPE.
const ENDED_BY_PIPE: i32 = 141;

/// Makes such a panic the end of the program; every other one is reported as before.
pub fn end_quietly() {
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |panicked| {
        if is_broken_pipe(panicked.payload()) {
            process::exit(ENDED_BY_PIPE);
        }
        report(panicked);
    }));
}

/// Whether this is what `println!` and `eprintln!` say when nobody listens.
fn is_broken_pipe(payload: &(dyn Any + Send)) -> bool {
    payload
        .downcast_ref::<String>()
        .is_some_and(|said| said.starts_with("failed printing to std") && said.contains("Broken pipe"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_pipe_that_broke_under_a_print_ends_the_program() {
        let of = |said: &str| is_broken_pipe(&said.to_owned());

        assert!(of("failed printing to stdout: Broken pipe (os error 32)"));
        assert!(!of("failed printing to stdout: No space left on device (os error 28)"));
        assert!(!of("the decoder: Broken pipe (os error 32)"));
    }
}
