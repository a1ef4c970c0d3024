//! CPU time of the calling thread, from the kernel's own count, and what of a page's reading took it.

use std::mem;

/// Milliseconds this thread has run; 0 where the system does not say.
pub fn thread_ms() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split_whitespace().next().and_then(|ns| ns.parse::<f64>().ok()).map_or(0.0, |ns| ns / 1e6)
}

/// What a reader does with a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Judging the picture and turning it upright.
    Preparation,
    /// Finding lines.
    Detection,
    /// Reading lines with the quick recogniser.
    Labels,
    /// Telling what the papers are and where their fields stand.
    Layout,
    /// Reading values with the good recogniser, the first time.
    Values,
    /// Looking again at values that stay undecided.
    SecondLooks,
    /// Looking at the signature field.
    Signature,
    /// Looking for the copy stamp.
    Stamp,
}

impl Stage {
    /// Every stage, in the order of the recipe.
    pub const ALL: [Self; 8] = [
        Self::Preparation,
        Self::Detection,
        Self::Labels,
        Self::Layout,
        Self::Values,
        Self::SecondLooks,
        Self::Signature,
        Self::Stamp,
    ];
}

/// Adds up CPU time by stage; at any moment one stage runs.
#[derive(Debug, Clone)]
pub struct Stopwatch {
    running: Stage,
    since_ms: f64,
    spent_ms: [f64; Stage::ALL.len()],
}

impl Stopwatch {
    /// Begins at zero, with the preparation.
    pub fn start() -> Self {
        Self { running: Stage::Preparation, since_ms: thread_ms(), spent_ms: [0.0; Stage::ALL.len()] }
    }

    /// From now on `stage` runs; tells which ran before, to be given back when it ends.
    pub fn switch(&mut self, stage: Stage) -> Stage {
        self.switch_at(stage, thread_ms())
    }

    fn switch_at(&mut self, stage: Stage, now_ms: f64) -> Stage {
        self.spent_ms[self.running as usize] += now_ms - self.since_ms;
        self.since_ms = now_ms;
        mem::replace(&mut self.running, stage)
    }

    /// Milliseconds of every stage, up to the last switch.
    pub fn spent_ms(&self) -> impl Iterator<Item = (Stage, f64)> + '_ {
        Stage::ALL.into_iter().zip(self.spent_ms)
    }

    /// Milliseconds of all stages, up to the last switch.
    pub fn total_ms(&self) -> f64 {
        self.spent_ms.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_to_the_stage_that_ran() {
        let mut watch = Stopwatch::start();
        let start = watch.since_ms;

        let before = watch.switch_at(Stage::Values, start + 2.0);
        watch.switch_at(before, start + 9.0);
        watch.switch_at(Stage::Stamp, start + 10.0);

        let of = |wanted| watch.spent_ms().find(|(stage, _)| *stage == wanted).map(|(_, ms)| ms);
        assert_eq!(before, Stage::Preparation);
        assert_eq!((of(Stage::Preparation), of(Stage::Values)), (Some(3.0), Some(7.0)));
    }
}
