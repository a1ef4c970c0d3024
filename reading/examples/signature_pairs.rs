//! Writes how pairs of pictures of signatures differ, one line of numbers for each pair, for training and measuring.
//!
//! usage: cargo run --example signature_pairs -- FOLDER PAIRS.csv > differences.csv
//! The first two columns of PAIRS.csv are file names below FOLDER; its columns are copied before the numbers.

use std::{
    collections::HashMap,
    env, fs,
    io::{BufWriter, Write},
    path::Path,
};

use reading::signature::{differences, shape_of_picture};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = env::args().collect();
    let [_, folder, pairs] = arguments.as_slice() else {
        return Err("usage: signature_pairs FOLDER PAIRS.csv".into());
    };
    let mut shapes: HashMap<String, Vec<f32>> = HashMap::new();
    let mut out = BufWriter::new(std::io::stdout().lock());
    for line in fs::read_to_string(pairs)?.lines().skip(1) {
        let mut files = line.split(',');
        let [first, second] = [files.next().unwrap_or_default(), files.next().unwrap_or_default()];
        for file in [first, second] {
            if !shapes.contains_key(file) {
                let picture = image::open(Path::new(folder).join(file))?.to_rgb8();
                shapes.insert(file.to_owned(), shape_of_picture(&picture));
            }
        }
        write!(out, "{line}")?;
        for number in differences(&shapes[first], &shapes[second]) {
            write!(out, ",{number:.5}")?;
        }
        writeln!(out)?;
    }
    Ok(())
}
