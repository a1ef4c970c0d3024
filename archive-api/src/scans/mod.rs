//! Scans: following them, the tray, placing by hand and taking out again.

mod get_scan;
mod get_upload;
mod place_scan;
mod placing;
mod tray;
mod unplace_scan;
mod view;

pub(crate) use get_scan::get_scan;
pub(crate) use get_upload::{UploadView, UploadedFile, get_upload, load_upload};
pub(crate) use place_scan::{PlaceScan, place, place_scan};
pub(crate) use tray::{get_tray, load_tray};
pub(crate) use unplace_scan::unplace_scan;
pub(crate) use view::{ScanView, may_unplaced, visible_scan};

#[cfg(test)]
mod tests;
