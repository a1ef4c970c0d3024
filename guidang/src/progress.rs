//! Progress on a terminal; silent when standard error is none.

use std::{io::IsTerminal, time::Duration};

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
