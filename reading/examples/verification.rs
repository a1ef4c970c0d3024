//! Measures verification: right values doubted, changed ones caught.
//!
//! usage: cargo run --example verification -- MODELS TRUTH.jsonl SCANS_FOLDER PAGES_FOLDER
//! Pages are read once and kept in PAGES_FOLDER as FILE.json; what is there already is weighed without reading.
//! A scan that is no JPEG or PNG is looked for beside it, rendered, as FILE.png.
//!
//! The value that stands on the paper is weighed as if it had been typed, then with one character changed: into
//! another of its kind drawn by chance, into a look-alike, or, of digits, swapped with its neighbour.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use domain::{
    field::FieldName,
    finding::Judgement,
    reading::{FieldReading, PageReading, PaperKind, PaperReading},
};
use image::{DynamicImage, ImageDecoder, ImageReader, RgbImage};
use reading::{
    PageHints, PageReader, ReaderOptions,
    forms::FormSet,
    recognition::Engine,
    verification::{Weight, weigh},
};
use serde_json::Value;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Ink read with less confidence is not legible print.
const LEGIBLE: f32 = 0.5;
/// Changes of each sort for one field.
const CHANGES: usize = 3;
/// Characters easily taken for each other.
const LOOK_ALIKES: [&str; 60] = [
    "己已", "日曰", "未末", "士土", "天夭", "晴睛", "治冶", "瑾谨", "杨扬", "婧靖", "佳住", "宇字", "汪江",
    "捷婕", "彬斌", "琪淇", "铭茗", "炎焱", "莉利", "刚钢", "泽择", "霖霜", "睿容", "晨辰", "昊吴", "欣欢",
    "悦锐", "萱宣", "于干", "田由", "毛手", "白自", "邱丘", "石右", "丁了", "史吏", "侯候", "孟盂", "常裳",
    "雪霄", "莹萤", "妍研", "菲非", "涵函", "昕听", "文丈", "明朋", "平乎", "建健", "振震", "38", "56", "17",
    "08", "09", "69", "人入", "大太", "王玉", "木本",
];
/// Characters drawn by chance, by kind.
const DIGITS: &str = "0123456789";
const WORDS: &str = "东南西北中山水田木林海河路街村镇李王张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文";

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Sort {
    Right,
    OneByChance,
    LookAlike,
    Swapped,
}

/// What became of the values of one sort on one kind of field.
#[derive(Default)]
struct Tally {
    ratios: Vec<f32>,
    agrees: usize,
    differs: usize,
}

impl Tally {
    fn add(&mut self, weight: &Weight) {
        self.ratios.push(weight.log_ratio);
        self.agrees += usize::from(weight.judgement == Judgement::Agrees);
        self.differs += usize::from(weight.judgement == Judgement::Differs);
    }

    fn share(&self, count: usize) -> f32 {
        count as f32 * 100.0 / self.ratios.len().max(1) as f32
    }

    fn below(&self, limit: f32) -> f32 {
        self.share(self.ratios.iter().filter(|ratio| **ratio < limit).count())
    }
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [models, truth, scans, pages] = &arguments[..] else {
        return Err("usage: verification MODELS TRUTH SCANS_FOLDER PAGES_FOLDER".into());
    };
    fs::create_dir_all(pages)?;
    let mut reader = None;
    let mut tallies: BTreeMap<(Sort, &'static str), Tally> = BTreeMap::new();
    for line in fs::read_to_string(truth)?.lines() {
        let case: Value = serde_json::from_str(line)?;
        if matches!(case["fault"].as_str(), Some("illegible" | "reused_scan")) {
            continue;
        }
        for scan in case["scans"].as_array().into_iter().flatten() {
            let file = scan["file"].as_str().unwrap_or_default();
            let kept = Path::new(pages).join(format!("{file}.json"));
            if !kept.exists() {
                let page = open(&Path::new(scans).join(file))?;
                let reader = match &mut reader {
                    Some(reader) => reader,
                    None => reader.insert(open_reader(models)?),
                };
                let reading = vec![reader.read_page(&page, None, &PageHints::default())?];
                fs::write(&kept, serde_json::to_string(&reading)?)?;
            }
            let pages: Vec<PageReading> = serde_json::from_str(&fs::read_to_string(&kept)?)?;
            let kinds: Vec<&str> =
                scan["kind"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            for paper in pages.iter().flat_map(|page| &page.papers) {
                weigh_paper(&case, &kinds, paper, &mut tallies);
            }
        }
    }
    print(&tallies);
    Ok(())
}

fn open_reader(models: &str) -> Result<PageReader> {
    Ok(PageReader::open(&ReaderOptions {
        models: PathBuf::from(models),
        engine: Engine::Ort,
        forms: FormSet::embedded()?,
        second_look_budget_ms: 400,
        second_opinion: true,
    })?)
}

fn weigh_paper(
    case: &Value,
    kinds: &[&str],
    paper: &PaperReading,
    tallies: &mut BTreeMap<(Sort, &'static str), Tally>,
) {
    for field in &paper.fields {
        let Some((value, kind)) = on_paper(case, kinds, paper.kind, field.field) else { continue };
        if field.text.is_none() || field.confidence.value() < LEGIBLE || value.is_empty() {
            continue;
        }
        for (sort, typed) in typed(&value, kind) {
            tallies.entry((sort, kind)).or_default().add(&weigh(field, &typed));
        }
        let right = weigh(field, &value);
        if right.judgement == Judgement::Differs {
            eprintln!(
                "doubted: {} {:?} {:.1} read {:?}",
                case["slip_number"],
                field.field,
                right.log_ratio,
                shown(field)
            );
        }
    }
}

/// Cases are invented people; what was read of them may be shown.
fn shown(field: &FieldReading) -> (&str, String, f32) {
    (field.text.as_deref().unwrap_or_default(), field.decided_by.clone(), field.confidence.value())
}

/// What stands on the paper, and what kind of value it is.
fn on_paper(
    case: &Value,
    kinds: &[&str],
    paper: PaperKind,
    field: FieldName,
) -> Option<(String, &'static str)> {
    let (source, slot) = match paper {
        PaperKind::IdCardFront => ("card", "id_front"),
        PaperKind::Slip => ("printed", "slip"),
        _ => return None,
    };
    let key = serde_json::to_value(field).ok()?.as_str()?.to_owned();
    let kind = match field {
        FieldName::Name | FieldName::CustomerName | FieldName::ContactName => "name",
        FieldName::Address | FieldName::IdAddress | FieldName::MailingAddress => "address",
        FieldName::IdNumber | FieldName::ServiceNumber | FieldName::ContactPhone => "number",
        _ => return None,
    };
    let value = case[source][key.as_str()].as_str()?.to_owned();
    kinds.contains(&slot).then_some((value, kind))
}

/// The value as it stands there and with its changes.
fn typed(value: &str, kind: &str) -> Vec<(Sort, String)> {
    let chars: Vec<char> = value.chars().collect();
    let mut dice = Dice::of(value);
    let mut all = vec![(Sort::Right, value.to_owned())];
    let with = |place: usize, other: char| {
        let mut changed = chars.clone();
        changed[place] = other;
        changed.into_iter().collect::<String>()
    };
    for _ in 0..CHANGES {
        let place = dice.throw(chars.len());
        let pool = if chars[place].is_ascii_digit() { DIGITS } else { WORDS };
        let pool: Vec<char> = pool.chars().filter(|other| *other != chars[place]).collect();
        if chars[place].is_alphanumeric() && !pool.is_empty() {
            all.push((Sort::OneByChance, with(place, pool[dice.throw(pool.len())])));
        }
    }
    let alike: Vec<(usize, char)> = (0..chars.len())
        .flat_map(|place| look_alikes(chars[place]).into_iter().map(move |other| (place, other)))
        .collect();
    for _ in 0..CHANGES.min(alike.len()) {
        let (place, other) = alike[dice.throw(alike.len())];
        all.push((Sort::LookAlike, with(place, other)));
    }
    let swaps: Vec<usize> = (1..chars.len())
        .filter(|&place| {
            let (one, other) = (chars[place - 1], chars[place]);
            one != other && one.is_ascii_digit() && other.is_ascii_digit()
        })
        .collect();
    if kind == "number" && !swaps.is_empty() {
        for _ in 0..CHANGES {
            let place = swaps[dice.throw(swaps.len())];
            let mut changed = chars.clone();
            changed.swap(place - 1, place);
            all.push((Sort::Swapped, changed.into_iter().collect()));
        }
    }
    all
}

fn look_alikes(character: char) -> Vec<char> {
    let pairs = LOOK_ALIKES.iter().filter(|pair| pair.contains(character));
    pairs.flat_map(|pair| pair.chars()).filter(|other| *other != character).collect()
}

/// Chance that is the same in every run.
struct Dice(u64);

impl Dice {
    fn of(text: &str) -> Self {
        Self(text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        }))
    }

    fn throw(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides.max(1)
    }
}

fn print(tallies: &BTreeMap<(Sort, &'static str), Tally>) {
    println!("sort          kind     count  differs  agrees   below -3    -4    -5    -6    -8");
    for ((sort, kind), tally) in tallies {
        let below: Vec<String> = [-3.0, -4.0, -5.0, -6.0, -8.0]
            .iter()
            .map(|limit| format!("{:6.2}", tally.below(*limit)))
            .collect();
        println!(
            "{:13} {kind:8} {:5}  {:6.2}  {:6.2}   {}",
            format!("{sort:?}"),
            tally.ratios.len(),
            tally.share(tally.differs),
            tally.share(tally.agrees),
            below.join("")
        );
    }
}

fn open(path: &Path) -> Result<RgbImage> {
    let rendered = PathBuf::from(format!("{}.png", path.display()));
    let path = if rendered.exists() { &rendered } else { path };
    let mut decoder = ImageReader::open(path)?.with_guessed_format()?.into_decoder()?;
    let orientation = decoder.orientation()?;
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    Ok(picture.into_rgb8())
}
