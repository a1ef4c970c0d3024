//! A network that does not do as it should: a TCP proxy in front of a real server.

use std::{
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Result;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

/// What the network does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// It carries everything.
    Fair,
    /// It carries everything late.
    Slow(Duration),
    /// It carries everything in crumbs of a few bytes.
    Crumbs,
    /// It takes everything and carries nothing, and nobody is told: a cable that was pulled out.
    Silent,
    /// It carries what servers say and nothing of what they are told.
    OneWay,
    /// It carries every piece twice. TCP lets nothing of the kind through: what arrives is another text.
    Doubled,
    /// It carries the second half of every piece before the first.
    Swapped,
    /// Connections end, and no new ones are made.
    Down,
}

/// The proxy; it ends with the runtime of its test.
pub struct TcpProxy {
    /// Where it listens, as `127.0.0.1:12345`.
    pub address: String,
    weather: watch::Sender<Weather>,
    /// Counted up to end every connection there is.
    ended: Arc<watch::Sender<u64>>,
    /// Counted up to strand every connection there is.
    stranded: Arc<watch::Sender<u64>>,
    met: Arc<Mutex<u64>>,
}

impl TcpProxy {
    /// Starts a proxy before the server at `target`.
    pub async fn before(target: &str) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let (weather, ended) = (watch::Sender::new(Weather::Fair), Arc::new(watch::Sender::new(0)));
        let stranded = Arc::new(watch::Sender::new(0));
        let met = Arc::new(Mutex::new(0));
        let (seen, ending, target) = (weather.subscribe(), Arc::clone(&ended), target.to_owned());
        let (counted, stranding) = (Arc::clone(&met), Arc::clone(&stranded));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                *counted.lock().unwrap_or_else(PoisonError::into_inner) += 1;
                let fate = Fate { ended: ending.subscribe(), stranded: stranding.subscribe() };
                tokio::spawn(connect(client, target.clone(), seen.clone(), fate));
            }
        });
        Ok(Self { address, weather, ended, stranded, met })
    }

    /// From now on the network does this.
    pub fn turn(&self, weather: Weather) {
        self.weather.send_replace(weather);
        if weather == Weather::Down {
            self.cut();
        }
    }

    /// Ends every connection there is; new ones are made as the weather allows.
    pub fn cut(&self) {
        self.ended.send_modify(|count| *count += 1);
    }

    /// Carries nothing any more on the connections there are, and tells nobody; new ones are made as the weather allows.
    pub fn strand(&self) {
        self.stranded.send_modify(|count| *count += 1);
    }

    /// How many connections were asked for so far.
    pub fn met(&self) -> u64 {
        *self.met.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What may happen to one connection.
struct Fate {
    ended: watch::Receiver<u64>,
    stranded: watch::Receiver<u64>,
}

async fn connect(client: TcpStream, target: String, weather: watch::Receiver<Weather>, mut fate: Fate) {
    if *weather.borrow() == Weather::Down {
        return;
    }
    let Ok(server) = TcpStream::connect(target).await else { return };
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let asking = carry(from_client, to_server, Direction::Asking, weather.clone());
    let answering = carry(from_server, to_client, Direction::Answering, weather);
    // Held until the end: what is dropped closes both ends, and somebody would know.
    let mut carrying = pin!(async { tokio::join!(asking, answering) });
    tokio::select! {
        _ = &mut carrying => {}
        _ = fate.ended.changed() => {}
        _ = fate.stranded.changed() => drop(fate.ended.changed().await),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Asking,
    Answering,
}

async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    direction: Direction,
    mut weather: watch::Receiver<Weather>,
) -> std::io::Result<()> {
    const CRUMB_BYTES: usize = 7;
    let mut bytes = vec![0; 1 << 14];
    loop {
        let read = from.read(&mut bytes).await?;
        let Some(piece) = bytes.get(..read).filter(|piece| !piece.is_empty()) else { return Ok(()) };
        // What was sent into silence arrives when it is over, as TCP would have it.
        let carries = |weather: &Weather| match weather {
            Weather::Silent => false,
            Weather::OneWay => direction == Direction::Answering,
            _ => true,
        };
        let now = weather.wait_for(carries).await.map_or(Weather::Fair, |now| *now);
        match now {
            Weather::Slow(pause) => {
                tokio::time::sleep(pause).await;
                to.write_all(piece).await?;
            }
            Weather::Crumbs => {
                for crumb in piece.chunks(CRUMB_BYTES) {
                    to.write_all(crumb).await?;
                    to.flush().await?;
                    tokio::task::yield_now().await;
                }
            }
            Weather::Doubled => to.write_all(&[piece, piece].concat()).await?,
            Weather::Swapped => {
                let (first, second) = piece.split_at(piece.len() / 2);
                to.write_all(&[second, first].concat()).await?;
            }
            _ => to.write_all(piece).await?,
        }
    }
}
