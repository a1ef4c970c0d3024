//! Behaviour seen from outside: what the suites in `tests/` share.
//!
//! `engines` opens every backend a promise must hold on and starts real servers on private ports.
//! `server` runs the executable as an operator would, kills it and starts it again; `client` talks to it as any
//! program would, `browser` as a person without scripts, and `catalogue` looks at what it left behind.
//! `seaweed` is a real S3 server, `s3_signature` signs for it without the program's help, and `s3_proxy` makes it
//! misbehave.
//! `cluster` is the same archive as many processes, each a `side_process` beside the server; a `search_node` is one
//! that can be asked. `rabbit` is a broker of one `rabbit_node` or of three; a `fake_clock` tells a process another time.
//! `tcp_proxy` is a network between them that delays, cuts and falls silent; `tls_proxy` speaks TLS
//! before a server that does not.
//! `collector` takes the traces that processes tell.
//! `entries`, `scans`, `large_files` and `hostile` make what is sent to it; `small_disk` gives it a disk that fills up.

pub mod browser;
pub mod catalogue;
pub mod client;
pub mod cluster;
pub mod collector;
pub mod engines;
pub mod entries;
pub mod fake_clock;
pub mod hostile;
pub mod large_files;
pub mod ports;
pub mod queues;
pub mod rabbit;
pub mod rabbit_node;
pub mod random;
pub mod s3_proxy;
pub mod s3_signature;
pub mod scans;
pub mod search_node;
pub mod seaweed;
pub mod server;
pub mod side_process;
pub mod small_disk;
pub mod tcp_proxy;
pub mod tls_proxy;
