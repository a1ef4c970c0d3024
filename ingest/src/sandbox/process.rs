//! The child as a process: started, timed, and told apart by the way it ended.

use std::{
    io::Read,
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{self, ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::Duration,
};

use nix::fcntl::{FcntlArg, fcntl};

use super::{
    DECODE_SUBCOMMAND,
    failure::DecodeError,
    protocol::{Answer, Request, read_frame, write_frame},
};
use crate::limits::Limits;

/// Longest part of the child's last words that is looked at.
const MAX_LAST_WORDS: u64 = 4096;

/// Bytes a pipe to or from the child holds: pixels come in tens of megabytes, and the usual 64 KiB would have the two
/// processes wake each other for every few rows. Linux grants no more than this without asking who we are.
const PIPE_BYTES: i32 = 1 << 20;

/// A running decoder.
#[derive(Debug)]
pub struct Child {
    process: Arc<Mutex<process::Child>>,
    to_child: Option<ChildStdin>,
    from_child: ChildStdout,
    limits: Limits,
}

impl Child {
    /// Starts the decoder with an empty environment.
    pub fn start(executable: &Path, limits: &Limits) -> Result<Self, DecodeError> {
        let mut process = Command::new(executable)
            .arg(DECODE_SUBCOMMAND)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(DecodeError::Start)?;
        let (Some(to_child), Some(from_child)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(DecodeError::Start(std::io::ErrorKind::BrokenPipe.into()));
        };
        // Where the system grants less, it is only slower.
        let _ = fcntl(&to_child, FcntlArg::F_SETPIPE_SZ(PIPE_BYTES));
        let _ = fcntl(&from_child, FcntlArg::F_SETPIPE_SZ(PIPE_BYTES));
        let process = Arc::new(Mutex::new(process));
        Ok(Self { process, to_child: Some(to_child), from_child, limits: *limits })
    }

    /// Sends a request and waits for its answer, no longer than the wall clock allows.
    pub fn ask(
        &mut self,
        request: &Request,
        body: &[u8],
        max_answer_bytes: u64,
    ) -> Result<(Answer, Vec<u8>), DecodeError> {
        let alarm = Alarm::set(&self.process, Duration::from_secs(self.limits.max_seconds));
        let answer = self.exchange(request, body, max_answer_bytes);
        let has_rung = alarm.stop();
        match answer {
            Ok(Some(answer)) => Ok(answer),
            Ok(None) | Err(_) if has_rung => {
                Err(DecodeError::TimedOut { limit_seconds: self.limits.max_seconds })
            }
            Ok(None) | Err(_) => Err(self.cause_of_death()),
        }
    }

    fn exchange(
        &mut self,
        request: &Request,
        body: &[u8],
        max_answer_bytes: u64,
    ) -> std::io::Result<Option<(Answer, Vec<u8>)>> {
        if let Some(pipe) = self.to_child.as_mut() {
            // A child that died while it was written to has said why by the way it ended.
            write_frame(pipe, request, body)?;
        }
        read_frame(&mut self.from_child, max_answer_bytes)
    }

    fn cause_of_death(&mut self) -> DecodeError {
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        self.to_child = None;
        // What answers nonsense instead of dying is ended here; a dead child is not hurt by it.
        let _ = process.kill();
        let mut last_words = Vec::new();
        if let Some(pipe) = process.stderr.take() {
            let _ = pipe.take(MAX_LAST_WORDS).read_to_end(&mut last_words);
        }
        match process.wait() {
            Ok(status) => cause(status, &last_words, &self.limits),
            Err(error) => DecodeError::Start(error),
        }
    }
}

fn cause(status: ExitStatus, last_words: &[u8], limits: &Limits) -> DecodeError {
    let ran_out_of_memory = crate::media_type::find(last_words, b"memory allocation of").is_some();
    match status.signal() {
        Some(libc::SIGABRT) if ran_out_of_memory => {
            DecodeError::MemoryExceeded { limit_bytes: limits.max_child_memory_bytes }
        }
        Some(libc::SIGSYS) => DecodeError::Forbidden,
        Some(libc::SIGXCPU) => DecodeError::TimedOut { limit_seconds: limits.max_cpu_seconds },
        signal => DecodeError::Crashed { signal, status: status.code() },
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        self.to_child = None;
        let _ = process.kill();
        let _ = process.wait();
    }
}

/// Ends the child when the time is up.
struct Alarm {
    stop: mpsc::Sender<()>,
    thread: thread::JoinHandle<bool>,
}

impl Alarm {
    fn set(process: &Arc<Mutex<process::Child>>, patience: Duration) -> Self {
        let (stop, stopped) = mpsc::channel();
        let process = Arc::clone(process);
        let thread = thread::spawn(move || {
            if stopped.recv_timeout(patience) != Err(mpsc::RecvTimeoutError::Timeout) {
                return false;
            }
            let mut process = process.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = process.kill();
            true
        });
        Self { stop, thread }
    }

    /// Whether it has rung.
    fn stop(self) -> bool {
        drop(self.stop);
        self.thread.join().unwrap_or(true)
    }
}
