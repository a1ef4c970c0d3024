//! `guidang forms`: checks a form file, and shows on a sample what it reads.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use domain::{geometry::Quad, reading::PaperReading};
use image::{Rgb, RgbImage};
use ingest::Resolution;
use reading::{BarcodeHint, PageHints, PageReader, forms};

use crate::{
    failure::{Failure, OrFail},
    settings::Settings,
    table::Table,
};

/// Arguments of `forms`.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Says what is wrong with form files
    Check {
        /// The files (*.toml)
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Reads one sample with a form, prints what was read and draws where
    Preview {
        /// The form file
        form: PathBuf,
        /// The sample: a scan of a paper of this form
        sample: PathBuf,
        /// Which page of it
        #[arg(long, default_value_t = 1)]
        page: usize,
        /// Where to write the picture with the boxes (PNG)
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

/// Checks or previews.
pub fn run(settings: &Settings, arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.action {
        Action::Check { files } => check_all(files),
        Action::Preview { form, sample, page, out } => preview(settings, form, sample, *page, out.as_deref()),
    }
}

fn check_all(files: &[PathBuf]) -> Result<(), Failure> {
    let mut wrong = 0;
    for file in files {
        let text = fs::read_to_string(file).or_fail(format!("{} cannot be read", file.display()))?;
        let problems = forms::check(&text);
        let verdict = if problems.is_empty() { "can be used" } else { "cannot be used" };
        println!("{}: {verdict}", file.display());
        for problem in &problems {
            println!("  {problem}");
        }
        wrong += usize::from(!problems.is_empty());
    }
    if wrong == 0 {
        Ok(())
    } else {
        Err(Failure::new(format!("{wrong} of {} forms cannot be used", files.len())))
    }
}

fn preview(
    settings: &Settings,
    form: &Path,
    sample: &Path,
    page: usize,
    out: Option<&Path>,
) -> Result<(), Failure> {
    check_all(&[form.to_owned()])?;
    let bytes = fs::read(sample).or_fail(format!("{} cannot be read", sample.display()))?;
    let sandbox = settings.sandbox()?;
    let page_index = page.checked_sub(1).ok_or_else(|| Failure::usage("pages are counted from 1"))?;
    let decoded = sandbox
        .render_page(&bytes, page_index, Resolution::Native)
        .or_fail("the sample cannot be decoded")?;
    let mut options = settings.reader_options()?;
    options.forms = with_form(form)?;
    let mut reader = PageReader::open(&options).or_fail("the reader cannot be opened")?;
    let barcodes = ingest::find_barcodes(&decoded.pixels);
    let hints = PageHints {
        barcodes: barcodes.into_iter().map(|code| BarcodeHint { text: code.text, region: None }).collect(),
        ..PageHints::default()
    };
    let reading =
        reader.read_page(&decoded.pixels, decoded.dpi, &hints).or_fail("the sample cannot be read")?;
    if reading.papers.is_empty() {
        println!("No form was recognised on this page.");
    }
    let mut picture = decoded.pixels;
    for paper in &reading.papers {
        println!("{} ({:.0} %)", paper.form, paper.confidence.value() * 100.0);
        print!("{}", fields_table(paper));
        draw_paper(&mut picture, paper);
    }
    if let Some(out) = out {
        picture.save(out).or_fail(format!("{} cannot be written", out.display()))?;
        println!("Boxes drawn in {}", out.display());
    }
    Ok(())
}

/// The program's forms with this one added, as if it lay in a folder of its own.
fn with_form(form: &Path) -> Result<forms::FormSet, Failure> {
    let folder = tempfile::tempdir().or_fail("a temporary folder cannot be made")?;
    fs::copy(form, folder.path().join("form.toml")).or_fail(format!("{} cannot be read", form.display()))?;
    forms::FormSet::with_folder(folder.path()).or_fail("the form cannot be used")
}

fn fields_table(paper: &PaperReading) -> Table {
    let mut table = Table::new(&["field", "read", "confidence"]);
    for field in &paper.fields {
        let read = field.text.clone().unwrap_or_else(|| "cannot be read".to_owned());
        table.row([field.field.to_string(), read, format!("{:.3}", field.confidence.value())]);
    }
    for field in &paper.illegible {
        table.row([field.to_string(), "cannot be read".to_owned(), String::new()]);
    }
    table
}

fn draw_paper(picture: &mut RgbImage, paper: &PaperReading) {
    const OUTLINE: Rgb<u8> = Rgb([30, 110, 220]);
    const FIELD: Rgb<u8> = Rgb([220, 30, 30]);
    const SIGNATURE: Rgb<u8> = Rgb([20, 150, 60]);
    draw_quad(picture, &paper.region, OUTLINE);
    for field in &paper.fields {
        draw_quad(picture, &field.region, FIELD);
    }
    let marks = [&paper.signature, &paper.copy_stamp];
    for region in marks.into_iter().flatten().filter_map(|mark| mark.region.as_ref()) {
        draw_quad(picture, region, SIGNATURE);
    }
}

fn draw_quad(picture: &mut RgbImage, quad: &Quad, colour: Rgb<u8>) {
    let corners = quad.0;
    for (from, to) in corners.iter().zip(corners.iter().cycle().skip(1)) {
        let (dx, dy) = (to.x - from.x, to.y - from.y);
        let steps = dx.abs().max(dy.abs()).ceil().clamp(1.0, 20_000.0) as u32;
        for step in 0..=steps {
            let along = step as f32 / steps as f32;
            draw_dot(picture, from.x + dx * along, from.y + dy * along, colour);
        }
    }
}

fn draw_dot(picture: &mut RgbImage, x: f32, y: f32, colour: Rgb<u8>) {
    for (dx, dy) in [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)] {
        let (x, y) = (x + dx, y + dy);
        let is_inside = x >= 0.0 && y >= 0.0 && x < picture.width() as f32 && y < picture.height() as f32;
        if is_inside {
            picture.put_pixel(x as u32, y as u32, colour);
        }
    }
}
