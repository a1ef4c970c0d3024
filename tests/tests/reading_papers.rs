//! Papers other than identity cards and slips, read with the real engine from pages made by `tools/specimens/pages.py`.

use std::{collections::BTreeMap, fs, path::Path};

use reading::{PageHints, PageReader, ReaderOptions, forms::FormSet, recognition::Engine};
use serde::Deserialize;

#[derive(Deserialize)]
struct Page {
    file: String,
    papers: Vec<Paper>,
}

#[derive(Deserialize)]
struct Paper {
    form: String,
    fields: BTreeMap<String, String>,
}

fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

#[test]
fn each_kind_of_paper_is_known_and_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/papers");
    let options = ReaderOptions {
        models: std::env::home_dir().unwrap().join(".local/share/guidang/models"),
        engine: Engine::Ort,
        forms: FormSet::embedded().unwrap(),
        // No limit: what is read must not hang on how busy the machine is.
        second_look_budget_ms: u32::MAX,
        second_opinion: false,
    };
    let mut reader = PageReader::open(&options).unwrap();

    for line in fs::read_to_string(folder.join("truth.jsonl")).unwrap().lines() {
        let page: Page = serde_json::from_str(line).unwrap();
        let picture = image::open(folder.join(&page.file)).unwrap().into_rgb8();
        let reading = reader.read_page(&picture, None, &PageHints::default()).unwrap();

        let mut forms: Vec<&str> = reading.papers.iter().map(|paper| paper.form.as_str()).collect();
        let mut expected: Vec<&str> = page.papers.iter().map(|paper| paper.form.as_str()).collect();
        forms.sort_unstable();
        expected.sort_unstable();
        assert_eq!(forms, expected, "{}", page.file);
        for shown in &page.papers {
            let paper = reading.papers.iter().find(|paper| paper.form == shown.form).unwrap();
            for (field, wanted) in &shown.fields {
                let read = paper.field(field.parse().unwrap()).and_then(|field| field.text.as_deref());
                assert_eq!(read.map(plain), Some(plain(wanted)), "{} {field}", page.file);
            }
        }
    }
}
