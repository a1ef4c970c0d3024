//! Says of every file in a folder how it was taken in: pages, milliseconds, barcodes, and which pictures are alike.
//!
//! `cargo run -p ingest --example scan_report -- target/debug/decode-child FOLDER`

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use ingest::{Fingerprint, Limits, Resolution, Sandbox, find_barcodes, fingerprint};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(decoder), Some(folder)) = (arguments.next(), arguments.next()) else {
        return Err("usage: scan_report DECODER FOLDER".into());
    };
    let sandbox = Sandbox::new(PathBuf::from(decoder), Limits::default());
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    let mut prints: Vec<(String, Fingerprint)> = Vec::new();
    for file in files {
        if let Err(error) = report(&sandbox, &file, &mut prints) {
            println!("{} {error}", name_of(&file));
        }
    }
    for (index, (name, print)) in prints.iter().enumerate() {
        for (other_name, other) in &prints[..index] {
            let shared = print.bands().iter().zip(other.bands()).filter(|(a, b)| *a == b).count();
            if shared > 0 || print.is_same_picture(other) {
                println!("ALIKE {name} {other_name} bands={shared} distance={:.3}", print.distance(other));
            }
        }
    }
    Ok(())
}

fn name_of(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn report(
    sandbox: &Sandbox,
    file: &Path,
    prints: &mut Vec<(String, Fingerprint)>,
) -> Result<(), Box<dyn std::error::Error>> {
    let bytes = fs::read(file)?;
    let start = Instant::now();
    let mut session = sandbox.open(&bytes)?;
    let open_ms = start.elapsed().as_secs_f32() * 1000.0;
    for page_index in 0..session.page_count() {
        let start = Instant::now();
        let page = session.page(page_index, Resolution::Native)?;
        let decode_ms = start.elapsed().as_secs_f32() * 1000.0;
        let start = Instant::now();
        let barcodes = find_barcodes(&page.pixels);
        let barcode_ms = start.elapsed().as_secs_f32() * 1000.0;
        let start = Instant::now();
        let print = fingerprint(&page.pixels);
        let print_ms = start.elapsed().as_secs_f32() * 1000.0;
        let texts: Vec<_> = barcodes.iter().map(|barcode| barcode.text.as_str()).collect();
        println!(
            "{} {}x{} {:?} {:?} open={open_ms:.0} decode={decode_ms:.0} barcode={barcode_ms:.0} print={print_ms:.0} {}",
            name_of(file),
            page.pixels.width(),
            page.pixels.height(),
            page.dpi,
            page.colour,
            texts.join(",")
        );
        prints.extend(print.map(|print| (name_of(file), print)));
    }
    Ok(())
}
