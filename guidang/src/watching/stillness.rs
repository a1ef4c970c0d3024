//! When a file has stood still: size and time unchanged for a while, seen by looking again and again.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// What is compared between two looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Bytes.
    pub size_bytes: u64,
    /// Last change, as the file system says; it may belong to another machine's clock and is only compared.
    pub modified: SystemTime,
}

/// Remembers every file in the folder since it last changed.
#[derive(Debug)]
pub struct Stillness {
    quiet: Duration,
    seen: HashMap<PathBuf, (Look, Duration)>,
}

/// An empty file is often a place taken for one that is about to be copied, so it must stand longer.
const EMPTY_FACTOR: u32 = 12;

impl Stillness {
    /// Files count as still after `quiet`.
    pub fn new(quiet: Duration) -> Self {
        Self { quiet, seen: HashMap::new() }
    }

    /// Notes a look at `now` (time since any fixed moment) and says whether the file has stood still.
    pub fn is_still(&mut self, path: &Path, look: Look, now: Duration) -> bool {
        let needed = if look.size_bytes == 0 { self.quiet * EMPTY_FACTOR } else { self.quiet };
        match self.seen.get(path) {
            Some((before, since)) if *before == look => now.saturating_sub(*since) >= needed,
            _ => {
                self.seen.insert(path.to_owned(), (look, now));
                false
            }
        }
    }

    /// Forgets files that are no longer there.
    pub fn keep_only(&mut self, is_there: impl Fn(&Path) -> bool) {
        self.seen.retain(|path, _| is_there(path));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Duration = Duration::from_secs(5);

    fn look(size_bytes: u64, modified_s: u64) -> Look {
        Look { size_bytes, modified: SystemTime::UNIX_EPOCH + Duration::from_secs(modified_s) }
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_file_is_taken_only_after_it_stood_still() {
        let mut stillness = Stillness::new(QUIET);
        let path = Path::new("a.jpg");

        let looks =
            [(0, look(10, 1)), (2, look(20, 2)), (4, look(20, 2)), (6, look(20, 2)), (7, look(20, 2))];
        let taken: Vec<bool> =
            looks.into_iter().map(|(s, look)| stillness.is_still(path, look, at(s))).collect();

        assert_eq!(taken, [false, false, false, false, true]);
    }

    #[test]
    fn a_change_of_time_alone_starts_the_wait_anew() {
        let mut stillness = Stillness::new(QUIET);
        let path = Path::new("a.jpg");
        stillness.is_still(path, look(10, 1), at(0));

        assert!(!stillness.is_still(path, look(10, 2), at(6)));
        assert!(stillness.is_still(path, look(10, 2), at(11)));
    }

    #[test]
    fn an_empty_file_waits_much_longer() {
        let mut stillness = Stillness::new(QUIET);
        let path = Path::new("a.jpg");
        stillness.is_still(path, look(0, 1), at(0));

        assert!(!stillness.is_still(path, look(0, 1), at(30)));
        assert!(stillness.is_still(path, look(0, 1), at(60)));
    }

    #[test]
    fn a_file_that_came_back_waits_again() {
        let mut stillness = Stillness::new(QUIET);
        let path = Path::new("a.jpg");
        stillness.is_still(path, look(10, 1), at(0));

        stillness.keep_only(|_| false);

        assert!(!stillness.is_still(path, look(10, 1), at(10)));
    }
}
