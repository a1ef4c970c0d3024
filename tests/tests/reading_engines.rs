//! Every engine that can be chosen, on the same page.

#![expect(clippy::unwrap_used, reason = "a broken behaviour must fail the test where it shows")]

use std::{collections::BTreeMap, path::Path};

use domain::field::FieldName;
use reading::{PageHints, PageReader, ReaderOptions, forms::FormSet, recognition::Engine};

const PAGE: &str = "../samples/scans/TJ20260903DX000100003-id-front.jpg";

fn read(engine: Engine) -> BTreeMap<FieldName, Option<String>> {
    let options = ReaderOptions {
        models: std::env::home_dir().unwrap().join(".local/share/guidang/models"),
        engine,
        forms: FormSet::embedded().unwrap(),
        second_look_budget_ms: 0,
        second_opinion: false,
    };
    let page = image::open(Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE)).unwrap().into_rgb8();
    let reading = PageReader::open(&options).unwrap().read_page(&page, None, &PageHints::default()).unwrap();
    let fields = reading.papers.into_iter().flat_map(|paper| paper.fields);
    fields.map(|field| (field.field, field.text)).collect()
}

#[test]
fn every_engine_reads_the_same_page() {
    let by_runtime = read(Engine::Ort);
    let without_library = read(Engine::Rten);
    let by_tesseract = read(Engine::Tesseract);

    let number = Some("130102195808198583".to_owned());
    assert_eq!(by_runtime.get(&FieldName::IdNumber), Some(&number));
    assert_eq!(without_library, by_runtime, "both run the same models");
    assert_eq!(by_tesseract.get(&FieldName::IdNumber), Some(&number));
}
