//! Places where fault tests make the program stand still, to kill it there. Only with the feature `failpoints`,
//! which no release has.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// How often whoever stands still looks whether to go on.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Every place, in the order a scan passes them.
const PLACES: [&str; 18] = [
    "import::before_commit",
    "intake::in_parts",
    "intake::stored",
    "intake::before_commit",
    "intake::after_commit",
    "read_scan::loaded",
    "read_scan::read",
    "read_scan::before_commit",
    "read_scan::after_commit",
    "place_scan::decided",
    "place_scan::handed_over",
    "place_scan::before_commit",
    "place_scan::after_commit",
    "check_case_file::judged",
    "check_case_file::before_commit",
    "check_case_file::after_commit",
    "archive_case_file::begun",
    "archive_case_file::before_commit",
];

/// Whoever passes the place that the file named by `FAULT_FILE` names says so and stands still, for ever or until the
/// file says `go on`. It is read at each passing, so that a test can choose a place while the server runs.
pub fn arm() {
    let Some(file) = std::env::var_os("FAULT_FILE").map(PathBuf::from) else { return };
    for place in PLACES {
        let file = file.clone();
        if let Err(error) = fail::cfg_callback(place, move || stand_still_if_asked(place, &file)) {
            eprintln!("fault point {place} cannot be armed: {error}");
        }
    }
}

fn stand_still_if_asked(place: &str, file: &Path) {
    let is_asked = std::fs::read_to_string(file).is_ok_and(|asked| asked == place);
    if is_asked {
        eprintln!("standing still at {place}");
        while !std::fs::read_to_string(file).is_ok_and(|told| told == "go on") {
            std::thread::sleep(LOOK_EVERY);
        }
    }
}
