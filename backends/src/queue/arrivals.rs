//! Rings that have arrived in this process and wait for a slot, by kind of job.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use domain::job::JobName;
use tokio::sync::Notify;

use super::Ring;

/// Rings with whatever it takes to acknowledge them.
#[derive(Debug)]
pub(super) struct Arrivals<T> {
    state: Mutex<State<T>>,
    changed: Notify,
}

#[derive(Debug)]
struct State<T> {
    /// Most urgent first.
    names: Vec<JobName>,
    waiting: HashMap<JobName, VecDeque<(Ring, T)>>,
    is_closed: bool,
}

enum Look<T> {
    Closed,
    Found(Ring, T),
    Nothing,
}

impl<T> Arrivals<T> {
    pub(super) fn new() -> Self {
        let state = State { names: Vec::new(), waiting: HashMap::new(), is_closed: false };
        Self { state: Mutex::new(state), changed: Notify::new() }
    }

    /// Hands out these kinds from now on.
    pub(super) fn listen(&self, names: &[JobName]) {
        let mut names = names.to_vec();
        names.sort_by_key(|name| name.urgency());
        self.state().names = names;
        self.changed.notify_waiters();
    }

    /// Adds a ring, unless as many as `most` of its kind wait already.
    pub(super) fn push(&self, ring: Ring, receipt: T, most: usize) {
        let mut state = self.state();
        let waiting = state.waiting.entry(ring.name).or_default();
        if waiting.len() < most {
            waiting.push_back((ring, receipt));
        }
        drop(state);
        self.changed.notify_waiters();
    }

    /// The next ring; `None` when listening has ended.
    pub(super) async fn next(&self) -> Option<(Ring, T)> {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            // Whoever pushes from here on wakes this call, even before it waits.
            changed.as_mut().enable();
            match self.look() {
                Look::Closed => return None,
                Look::Found(ring, receipt) => return Some((ring, receipt)),
                Look::Nothing => changed.await,
            }
        }
    }

    fn look(&self) -> Look<T> {
        let mut state = self.state();
        if state.is_closed {
            return Look::Closed;
        }
        state.take().map_or(Look::Nothing, |(ring, receipt)| Look::Found(ring, receipt))
    }

    /// How many of a kind wait.
    pub(super) fn count(&self, name: JobName) -> usize {
        self.state().waiting.get(&name).map_or(0, VecDeque::len)
    }

    /// Takes everything that waits.
    pub(super) fn drain(&self) -> Vec<T> {
        let waiting = std::mem::take(&mut self.state().waiting);
        waiting.into_values().flatten().map(|(_, receipt)| receipt).collect()
    }

    /// Ends listening.
    pub(super) fn close(&self) {
        self.state().is_closed = true;
        self.changed.notify_waiters();
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    fn take(&mut self) -> Option<(Ring, T)> {
        let waiting = &mut self.waiting;
        self.names.iter().find_map(|name| waiting.get_mut(name)?.pop_front())
    }
}
