//! Ports for the servers of a suite.
//!
//! They lie below the range from which the system takes the ports of outgoing connections: one found free there can
//! be somebody's before the server that was promised it listens.

use std::{
    net::TcpListener,
    ops::Range,
    process,
    sync::atomic::{AtomicU32, Ordering},
};

use anyhow::{Context, Result};

/// SeaweedFS takes its own above this range.
const RANGE: Range<u16> = 3_000..12_000;

/// Ports given by this process so far.
static GIVEN: AtomicU32 = AtomicU32::new(0);

/// A port that nobody listens on and that this process has not given before.
pub fn free() -> Result<u16> {
    let size = u32::from(RANGE.end - RANGE.start);
    // Processes that run side by side begin at places of their own.
    let first = process::id().wrapping_mul(997);
    for _ in 0..size {
        let step = GIVEN.fetch_add(1, Ordering::Relaxed);
        let place = u16::try_from(first.wrapping_add(step) % size)?;
        let port = RANGE.start + place;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    None.with_context(|| format!("every port from {} to {} is taken", RANGE.start, RANGE.end - 1))
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
