//! The decoder's own process, as its parent sees it: one child for each scan, which costs only itself.

mod child;
mod confinement;
mod failure;
mod process;
pub(crate) mod protocol;

use std::{path::PathBuf, process::Command};

pub use child::decoder_main;
pub use failure::DecodeError;
pub use protocol::{Confinement, Description, PageDescription, PageFault, Resolution};

use self::{
    failure::unexpected,
    process::Child,
    protocol::{Answer, PageFrame, Request},
};
use crate::{
    inspection::{ColourKind, inspect},
    limits::Limits,
    page_image::PageImage,
};

/// The name of the hidden subcommand that runs `decoder_main`.
pub const DECODE_SUBCOMMAND: &str = "decode-child";

/// The file name of the decoder as a program of its own.
const DECODER: &str = "guidang-decoder";

/// What the decoder as a program of its own answers to `--version`.
pub const DECODER_VERSION: &str = concat!("guidang-decoder ", env!("CARGO_PKG_VERSION"));

/// Decodes untrusted files in a process of their own. Blocking: call it from the CPU pool.
#[derive(Debug, Clone)]
pub struct Sandbox {
    /// The program that runs `decoder_main` when called with `DECODE_SUBCOMMAND`.
    pub executable: PathBuf,
    /// What one scan may cost.
    pub limits: Limits,
    /// Whether to decode where the kernel offers neither Landlock nor seccomp; off unless the operator insists.
    pub allow_unsandboxed: bool,
}

impl Sandbox {
    /// A sandbox that runs `executable` and refuses to work unconfined.
    pub const fn new(executable: PathBuf, limits: Limits) -> Self {
        Self { executable, limits, allow_unsandboxed: false }
    }

    /// As `new`, for a program that is its own decoder. Where `guidang-decoder` of the same release stands beside it, that
    /// one is run: it loads none of the libraries that only the rest of the program needs, and starts ten times as
    /// cheaply.
    pub fn of_program(program: PathBuf, limits: Limits) -> Self {
        let decoder = program.with_file_name(DECODER);
        let answer = Command::new(&decoder).arg("--version").env_clear().output();
        let is_ours = answer.is_ok_and(|said| said.stdout.trim_ascii() == DECODER_VERSION.as_bytes());
        let executable = if is_ours { decoder } else { program };
        Self::new(executable, limits)
    }

    /// Checks the headers, then hands the bytes to a child that stays for all pages of this scan.
    pub fn open(&self, bytes: &[u8]) -> Result<DecodeSession, DecodeError> {
        inspect(bytes, &self.limits)?;
        let mut child = Child::start(&self.executable, &self.limits)?;
        let request = Request::Open { limits: self.limits, allow_unsandboxed: self.allow_unsandboxed };
        match child.ask(&request, bytes, 0)? {
            (Answer::Described(description), _) => {
                Ok(DecodeSession { child, description, limits: self.limits })
            }
            (Answer::Refused(refusal), _) => Err(DecodeError::Refused(refusal)),
            (Answer::Unconfined(part), _) => Err(DecodeError::Unconfined { part }),
            _ => Err(unexpected()),
        }
    }

    /// Says what the scan is, without decoding its pages.
    pub fn describe(&self, bytes: &[u8]) -> Result<Description, DecodeError> {
        Ok(self.open(bytes)?.description().clone())
    }

    /// Decodes one page; for several pages of one scan `open` is cheaper.
    pub fn render_page(
        &self,
        bytes: &[u8],
        page_index: usize,
        resolution: Resolution,
    ) -> Result<PageImage, DecodeError> {
        self.open(bytes)?.page(page_index, resolution)
    }
}

/// One scan in one child. Dropping it ends the child.
#[derive(Debug)]
pub struct DecodeSession {
    child: Child,
    description: Description,
    limits: Limits,
}

impl DecodeSession {
    /// What the scan is.
    pub const fn description(&self) -> &Description {
        &self.description
    }

    /// How many pages it has.
    pub const fn page_count(&self) -> usize {
        self.description.pages.len()
    }

    /// Decodes the page at `page_index`. `DecodeError::Page` leaves the session usable; any other error ends it.
    pub fn page(&mut self, page_index: usize, resolution: Resolution) -> Result<PageImage, DecodeError> {
        let request = Request::Render { page_index, resolution };
        match self.child.ask(&request, &[], self.limits.max_page_pixels.saturating_mul(3))? {
            (Answer::Page(frame), body) => page_image(frame, body),
            (Answer::PageFailed(fault), _) => Err(DecodeError::Page { page_number: page_index + 1, fault }),
            _ => Err(unexpected()),
        }
    }

    /// The text layer of a page of a born-digital PDF. Personal data: for reading, never for a log.
    pub fn text(&mut self, page_index: usize) -> Result<String, DecodeError> {
        const MAX_TEXT_BYTES: u64 = 4 << 20;
        match self.child.ask(&Request::Text { page_index }, &[], MAX_TEXT_BYTES)? {
            (Answer::Text, body) => String::from_utf8(body).map_err(|_| unexpected()),
            (Answer::PageFailed(fault), _) => Err(DecodeError::Page { page_number: page_index + 1, fault }),
            _ => Err(unexpected()),
        }
    }
}

fn in_three_channels(levels: &[u8]) -> Vec<u8> {
    let mut pixels = vec![0; levels.len() * 3];
    for (pixel, level) in pixels.chunks_exact_mut(3).zip(levels) {
        pixel.fill(*level);
    }
    pixels
}

/// Believes the child only as far as its numbers agree with its bytes.
fn page_image(frame: PageFrame, body: Vec<u8>) -> Result<PageImage, DecodeError> {
    if body.len() as u64 != frame.body_bytes() || body.is_empty() {
        return Err(unexpected());
    }
    let rgb = match frame.colour {
        ColourKind::Colour => body,
        ColourKind::Grey | ColourKind::Bilevel => in_three_channels(&body),
    };
    let pixels = image::RgbImage::from_raw(frame.width, frame.height, rgb).ok_or_else(unexpected)?;
    Ok(PageImage { pixels, dpi: frame.dpi, colour: frame.colour })
}
