//! The decoder's own process, as it sees itself: reads a scan, locks itself in, answers until nobody asks.

use std::{
    io::{self, BufReader, Stdin, StdoutLock},
    panic::{self, AssertUnwindSafe},
    process::ExitCode,
};

use super::{
    confinement,
    protocol::{Answer, PageFault, Request, read_frame, write_frame},
};
use crate::{
    decoding::{OpenScan, fonts::Fonts},
    limits::Limits,
    refusal::Refusal,
};

/// Most bytes that are read from the parent before its limits are known.
const MAX_SCAN_BYTES: u64 = 4 << 30;

/// Runs the decoder: the entry of the hidden subcommand `decode-child`. Speaks over standard input and output.
pub fn decoder_main() -> ExitCode {
    // A decoder's panic may quote the file, so nothing of it is printed.
    panic::set_hook(Box::new(|_| {}));
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn serve() -> io::Result<()> {
    let mut input = BufReader::new(io::stdin());
    let mut output = io::stdout().lock();
    let Some((Request::Open { limits, allow_unsandboxed }, bytes)) = read_frame(&mut input, MAX_SCAN_BYTES)?
    else {
        return Err(io::ErrorKind::InvalidData.into());
    };
    // Fonts are opened while files still can be; they are read only when a page asks for them.
    let fonts = Fonts::of_the_system();
    if let Err(part) = confinement::confine(&limits)
        && !allow_unsandboxed
    {
        return write_frame(&mut output, &Answer::Unconfined(part), &[]);
    }
    answer_all(&bytes, &limits, fonts, &mut input, &mut output)
}

fn answer_all(
    bytes: &[u8],
    limits: &Limits,
    fonts: Fonts,
    input: &mut BufReader<Stdin>,
    output: &mut StdoutLock<'static>,
) -> io::Result<()> {
    let opened = contained(|| OpenScan::open(bytes, limits, fonts)).unwrap_or(Err(Refusal::DamagedFile));
    let scan = match opened {
        Ok(scan) => scan,
        Err(refusal) => return write_frame(output, &Answer::Refused(refusal), &[]),
    };
    write_frame(output, &Answer::Described(scan.description().clone()), &[])?;
    while let Some((request, _)) = read_frame::<Request>(input, 0)? {
        match answer(&scan, &request) {
            Ok((header, body)) => write_frame(output, &header, &body)?,
            Err(fault) => write_frame(output, &Answer::PageFailed(fault), &[])?,
        }
    }
    Ok(())
}

fn answer(scan: &OpenScan<'_>, request: &Request) -> Result<(Answer, Vec<u8>), PageFault> {
    match *request {
        Request::Open { .. } => Err(PageFault::NoSuchPage),
        Request::Render { page_index, resolution } => {
            let (frame, pixels) =
                contained(|| scan.render(page_index, resolution)).unwrap_or(Err(PageFault::Damaged))?;
            Ok((Answer::Page(frame), pixels))
        }
        Request::Text { page_index } => {
            let text = contained(|| scan.text(page_index)).unwrap_or(Err(PageFault::NoText))?;
            Ok((Answer::Text, text.into_bytes()))
        }
    }
}

/// A decoder that panics loses the page it was at, not those before and after.
fn contained<T>(work: impl FnOnce() -> T) -> Option<T> {
    panic::catch_unwind(AssertUnwindSafe(work)).ok()
}
