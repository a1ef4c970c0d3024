//! Progress on a terminal; silent when standard error is none.

use std::{io::IsTerminal, time::Duration};

use backends::copying::Step;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar of known length, as in files.
pub fn bar(length: u64, what: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:<12} {bar:40} {pos}/{len} {per_sec} {eta}");
    drawn(ProgressBar::new(length), style.ok(), what)
}

/// A bar over bytes.
pub fn bytes(length: u64, what: &str) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{msg:<12} {bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}");
    drawn(ProgressBar::new(length), style.ok(), what)
}

/// One bar after the other, for a copy that has many parts.
#[derive(Debug, Default)]
pub struct Steps {
    shown: Option<(String, ProgressBar)>,
}

impl Steps {
    /// Moves the bar, or starts the next one.
    pub fn show(&mut self, step: &Step) {
        let is_same = self.shown.as_ref().is_some_and(|(what, _)| *what == step.what);
        if !is_same {
            self.finish();
            self.shown = Some((step.what.clone(), bar(step.total, &step.what)));
        }
        if let Some((_, bar)) = &self.shown {
            bar.set_length(step.total);
            bar.set_position(step.done);
        }
    }

    /// Takes the last bar away.
    pub fn finish(&mut self) {
        if let Some((_, bar)) = self.shown.take() {
            bar.finish_and_clear();
        }
    }
}

fn drawn(bar: ProgressBar, style: Option<ProgressStyle>, what: &str) -> ProgressBar {
    if let Some(style) = style {
        bar.set_style(style);
    }
    bar.set_message(what.to_owned());
    if std::io::stderr().is_terminal() {
        bar.enable_steady_tick(Duration::from_millis(250));
    } else {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    bar
}
