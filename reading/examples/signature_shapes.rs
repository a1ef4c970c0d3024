//! Writes the shape of every picture of a signature in a list as one line of numbers, for training.
//!
//! usage: cargo run -p reading --example signature_shapes -- FOLDER INDEX.csv > shapes.csv
//! The first column of INDEX.csv is a file name below FOLDER; its columns are copied before the numbers.

use std::{
    env, fs,
    io::{BufWriter, Write},
    path::Path,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = env::args().collect();
    let [_, folder, index] = arguments.as_slice() else {
        return Err("usage: signature_shapes FOLDER INDEX.csv".into());
    };
    let mut out = BufWriter::new(std::io::stdout().lock());
    for line in fs::read_to_string(index)?.lines().skip(1) {
        let file = line.split(',').next().unwrap_or_default();
        let picture = image::open(Path::new(folder).join(file))?.to_rgb8();
        let shape = reading::signature::shape_of_picture(&picture);
        write!(out, "{line}")?;
        for number in shape {
            write!(out, ",{number:.5}")?;
        }
        writeln!(out)?;
    }
    Ok(())
}
