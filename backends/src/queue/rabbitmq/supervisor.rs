//! The one task that keeps a connection: to any of the hosts, again and again, with the consumers that are wanted.

use std::{sync::Arc, time::Duration};

use domain::job::JobName;
use lapin::{Acker, Channel};
use tokio::{sync::watch, task::AbortHandle};

use super::{
    address::{Brokers, name_of},
    link::{Consumers, Link},
};
use crate::queue::{QueueError, arrivals::Arrivals};

/// The first pause after a connection was lost, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How often a connection that says nothing is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long consumers may take to end.
const END_WITHIN: Duration = Duration::from_secs(5);

/// How the connection stands.
#[derive(Clone)]
enum Standing {
    /// Not every host has been tried yet.
    Starting,
    Up(Arc<Link>),
    Down(QueueError),
}

/// What this process wants to hear.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    Nothing,
    Rings { names: Vec<JobName>, slots: u16 },
}

/// The handle of the task; the task ends with it.
pub(super) struct Supervisor {
    standing: watch::Receiver<Standing>,
    wanted: watch::Sender<Wanted>,
    is_listening: watch::Receiver<bool>,
    task: AbortHandle,
}

impl Supervisor {
    pub(super) fn start(brokers: Brokers, arrivals: Arc<Arrivals<Acker>>) -> Self {
        let (announce, standing) = watch::channel(Standing::Starting);
        let (wanted, wants) = watch::channel(Wanted::Nothing);
        let (says, is_listening) = watch::channel(false);
        let keeper = Keeper { brokers, arrivals, standing: announce, wanted: wants, is_listening: says };
        let task = tokio::spawn(keeper.keep()).abort_handle();
        Self { standing, wanted, is_listening, task }
    }

    /// The connection, or at once why there is none. Waits only while none was ever tried.
    pub(super) async fn link(&self) -> Result<Arc<Link>, QueueError> {
        let mut standing = self.standing.clone();
        let settled = standing.wait_for(|standing| !matches!(standing, Standing::Starting)).await;
        match settled.as_deref() {
            Ok(Standing::Up(link)) if link.is_alive() => Ok(Arc::clone(link)),
            Ok(Standing::Down(error)) => Err(error.clone()),
            _ => Err(super::trouble::unavailable("the connection was lost".to_owned())),
        }
    }

    pub(super) fn listen(&self, names: &[JobName], slots: u16) {
        self.wanted.send_replace(Wanted::Rings { names: names.to_vec(), slots });
    }

    /// Ends the consumers and waits until they have.
    pub(super) async fn end_listening(&self) {
        self.wanted.send_replace(Wanted::Nothing);
        let mut is_listening = self.is_listening.clone();
        let ended = is_listening.wait_for(|is_listening| !is_listening);
        drop(tokio::time::timeout(END_WITHIN, ended).await);
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Keeper {
    brokers: Brokers,
    arrivals: Arc<Arrivals<Acker>>,
    standing: watch::Sender<Standing>,
    wanted: watch::Receiver<Wanted>,
    is_listening: watch::Sender<bool>,
}

impl Keeper {
    async fn keep(mut self) {
        let mut pause = FIRST_PAUSE;
        let mut first = 0;
        loop {
            match self.connect(first).await {
                Ok((link, host)) => {
                    pause = FIRST_PAUSE;
                    // The next attempt begins with another host.
                    first = host + 1;
                    self.serve(&link).await;
                    self.standing.send_replace(Standing::Down(lost()));
                }
                Err(error) => {
                    self.say_once(&error);
                    self.standing.send_replace(Standing::Down(error));
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Tries every host once, beginning with `first`; gives the last error when none works. What cannot work at one
    /// host says more than that another one is away.
    async fn connect(&self, first: usize) -> Result<(Arc<Link>, usize), QueueError> {
        let mut worst = None;
        let count = self.brokers.addresses.len();
        for host in (0..count).map(|offset| (first + offset) % count) {
            let Some(address) = self.brokers.addresses.get(host) else { continue };
            match Link::open(&self.brokers, address).await {
                Ok(link) => {
                    tracing::info!(broker = name_of(address), "connected to the job queue");
                    return Ok((Arc::new(link), host));
                }
                Err(error) => {
                    if !matches!(worst, Some(QueueError::Unusable { .. })) {
                        worst = Some(error);
                    }
                }
            }
        }
        Err(worst.unwrap_or_else(lost))
    }

    fn say_once(&self, error: &QueueError) {
        let is_news = match &*self.standing.borrow() {
            Standing::Down(before) => before.to_string() != error.to_string(),
            Standing::Starting | Standing::Up(_) => true,
        };
        if is_news {
            let brokers = self.brokers.names();
            tracing::warn!(%error, brokers, "no broker can be used; jobs wait in the catalogue, trying again");
        }
    }

    /// Keeps consumers as wanted until the connection is lost.
    async fn serve(&mut self, link: &Arc<Link>) {
        self.standing.send_replace(Standing::Up(Arc::clone(link)));
        let mut retired: Vec<Channel> = Vec::new();
        loop {
            let wanted = self.wanted.borrow_and_update().clone();
            // Said before the first consumer is there: whoever ends listening must not miss one that is just opened.
            self.is_listening.send_replace(wanted != Wanted::Nothing);
            let mut consumers = match self.open_consumers(link, &wanted).await {
                Ok(consumers) => consumers,
                Err(error) => {
                    tracing::warn!(%error, "rings cannot be heard; connecting again");
                    break;
                }
            };
            tokio::select! {
                () = until_lost(link, consumers.as_mut()) => break,
                changed = self.wanted.changed() => if changed.is_err() { break },
            }
            if let Some(consumers) = consumers {
                // What was handed over is still acknowledged on its channel.
                retired.push(consumers.cancel().await);
            }
        }
        link.close().await;
        // Whatever waits here was handed over on this connection; the broker hands it over again.
        self.arrivals.drain();
        self.is_listening.send_replace(false);
    }

    async fn open_consumers(&self, link: &Link, wanted: &Wanted) -> Result<Option<Consumers>, lapin::Error> {
        match wanted {
            Wanted::Nothing => Ok(None),
            Wanted::Rings { names, slots } => link.consume(names, *slots, &self.arrivals).await.map(Some),
        }
    }
}

async fn until_lost(link: &Link, consumers: Option<&mut Consumers>) {
    let ended = async {
        match consumers {
            Some(consumers) => consumers.until_ended().await,
            None => std::future::pending().await,
        }
    };
    let dead = async {
        while link.is_alive() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    tokio::select! {
        () = ended => {}
        () = dead => {}
        () = link.until_given_up() => {}
    }
    tracing::warn!("the connection to the job queue was lost; jobs wait in the catalogue");
}

fn lost() -> QueueError {
    super::trouble::unavailable("the connection was lost".to_owned())
}
