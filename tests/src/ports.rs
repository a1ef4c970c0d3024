//! Ports for the servers of a suite.
//!
//! They lie below the range from which the system takes the ports of outgoing connections: one found free there can
//! be somebody's before the server that was promised it listens.

use std::{
    env,
    fs::{self, File},
    net::TcpListener,
    ops::Range,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU16, Ordering},
    },
};

use anyhow::{Context, Result};

/// SeaweedFS takes its own above this range.
const RANGE: Range<u16> = 3_000..12_000;
/// Ports that one process has to itself: a suite takes some hundreds.
const BLOCK: u16 = 1_000;

/// Ports given by this process so far.
static GIVEN: AtomicU16 = AtomicU16::new(0);
/// The first port of this process, and the lock that says so while it lives.
static OWN: Mutex<Option<(u16, File)>> = Mutex::new(None);

/// A port that nobody listens on and that no other process of the tests gives, nor this one before the others of its
/// block.
pub fn free() -> Result<u16> {
    let first = first_of_block()?;
    for _ in 0..BLOCK {
        let port = first + GIVEN.fetch_add(1, Ordering::Relaxed) % BLOCK;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    None.with_context(|| format!("every port from {first} to {} is taken", first + BLOCK - 1))
}

/// Where the ports begin that suites running side by side leave to this one. A port that was looked at and found free is
/// still anybody's until somebody listens, so looking is not enough.
fn first_of_block() -> Result<u16> {
    let mut own = OWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((first, _)) = &*own {
        return Ok(*first);
    }
    let folder = env::temp_dir().join("guidang-test-ports");
    fs::create_dir_all(&folder)?;
    for first in RANGE.step_by(usize::from(BLOCK)) {
        let lock = File::create(folder.join(first.to_string()))?;
        if lock.try_lock().is_ok() {
            *own = Some((first, lock));
            return Ok(first);
        }
    }
    None.with_context(|| format!("every block of {BLOCK} ports is a suite's that still runs"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_port_is_given_twice_and_none_that_is_taken() {
        let taken = free().unwrap();
        let _listener = TcpListener::bind(("127.0.0.1", taken)).unwrap();

        let given: BTreeSet<u16> = (0..50).map(|_| free().unwrap()).collect();

        assert_eq!(given.len(), 50);
        assert!(!given.contains(&taken) && given.iter().all(|port| RANGE.contains(port)));
    }
}
