//! How a command fails: a sentence for the person at the keyboard, and the chain of causes behind it.

use std::{error::Error, fmt, process::ExitCode};

/// What the exit status says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It did not work, or what was checked does not hold.
    Failed,
    /// It was asked for in a way that cannot work.
    Usage,
    /// Part of it worked; the rest was reported.
    Partly,
}

/// A command that did not do all it was asked for.
#[derive(Debug)]
pub struct Failure {
    sentence: String,
    source: Option<Box<dyn Error + Send + Sync>>,
    exit: Exit,
}

impl Failure {
    /// Fails with a sentence alone.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), source: None, exit: Exit::Failed }
    }

    /// Fails because of how it was called.
    pub fn usage(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), source: None, exit: Exit::Usage }
    }

    /// Fails in part; the rest was done.
    pub fn partly(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), source: None, exit: Exit::Partly }
    }

    /// Fails because of `source`.
    pub fn because(sentence: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { sentence: sentence.into(), source: Some(source.into()), exit: Exit::Failed }
    }

    /// The exit status.
    pub fn exit_code(&self) -> ExitCode {
        match self.exit {
            Exit::Failed => ExitCode::from(1),
            Exit::Usage => ExitCode::from(2),
            Exit::Partly => ExitCode::from(3),
        }
    }

    /// The sentence and all causes in one line; a cause that only repeats the one above is left out.
    pub fn whole_story(&self) -> String {
        let mut story = self.sentence.clone();
        let mut cause = self.source();
        while let Some(this) = cause {
            let said = this.to_string();
            if !story.ends_with(&said) {
                story.push_str(": ");
                story.push_str(&said);
            }
            cause = this.source();
        }
        story
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

/// Says what was being done when something below failed.
pub trait OrFail<T> {
    /// Turns the error into a `Failure` with this sentence.
    fn or_fail(self, sentence: impl Into<String>) -> Result<T, Failure>;
}

impl<T, E: Into<Box<dyn Error + Send + Sync>>> OrFail<T> for Result<T, E> {
    fn or_fail(self, sentence: impl Into<String>) -> Result<T, Failure> {
        self.map_err(|source| Failure::because(sentence, source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_story_names_every_cause_once() {
        let cause = Failure::because("the disk is full", std::io::Error::other("the disk is full"));

        let failure = Failure::because("the entries cannot be kept", cause);

        assert_eq!(failure.whole_story(), "the entries cannot be kept: the disk is full");
    }
}
