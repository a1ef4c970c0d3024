//! How many pages are made into pictures at once, and how many wait for that.
//!
//! Each holds a scan, sealed and open, and a decoder in a process of its own. So few are made at a time, and who would
//! wait behind too many is told to come again.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::problem::{Problem, kinds};

/// Pictures made at once at most, however many cores there are: a decoder may take more than a gigabyte.
const AT_ONCE: usize = 4;
/// Pictures that wait: two pages of a tray of everybody in a large outlet. One that waits holds next to nothing.
const WAITING: usize = 128;

/// Bounds the making of pictures.
#[derive(Debug)]
pub(crate) struct PicturePool {
    places: Arc<Semaphore>,
    running: Arc<Semaphore>,
}

/// The right to make one picture; goes with the work, since who asked may be gone before it ends.
#[derive(Debug)]
pub(crate) struct Turn {
    _running: OwnedSemaphorePermit,
    _place: OwnedSemaphorePermit,
}

impl Default for PicturePool {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self::new(cores.min(AT_ONCE), WAITING)
    }
}

impl PicturePool {
    fn new(at_once: usize, waiting: usize) -> Self {
        let places = Arc::new(Semaphore::new(at_once + waiting));
        Self { places, running: Arc::new(Semaphore::new(at_once)) }
    }

    /// Waits for a turn; refuses when too many wait already.
    pub(crate) async fn turn(&self) -> Result<Turn, Problem> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| Problem::new(kinds::PAGES_BUSY))?;
        let running = Arc::clone(&self.running).acquire_owned().await;
        let running = running.map_err(|error| Problem::new(kinds::INTERNAL).caused_by(error))?;
        Ok(Turn { _running: running, _place: place })
    }
}

#[cfg(test)]
mod tests {
    use futures_util::poll;

    use super::*;

    #[tokio::test]
    async fn so_many_are_made_at_once_so_many_wait_and_the_next_is_told_to_come_again() {
        let pool = PicturePool::new(2, 1);
        let (first, second) = (pool.turn().await.unwrap(), pool.turn().await.unwrap());
        let mut third = std::pin::pin!(pool.turn());
        assert!(poll!(&mut third).is_pending());

        let fourth = pool.turn().await;
        drop(first);
        let third = third.await;

        assert_eq!(fourth.err().map(|problem| problem.status().as_u16()), Some(503));
        assert!(third.is_ok());
        drop((second, third));
        assert!(pool.turn().await.is_ok());
    }

    #[tokio::test]
    async fn who_stops_waiting_leaves_the_place_to_others() {
        let pool = PicturePool::new(1, 1);
        let _first = pool.turn().await.unwrap();
        {
            let mut gone = std::pin::pin!(pool.turn());
            assert!(poll!(&mut gone).is_pending());
        }

        let mut next = std::pin::pin!(pool.turn());

        assert!(poll!(&mut next).is_pending());
    }
}
