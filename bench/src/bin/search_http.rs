//! Measures searching through HTTP: `cargo run --release -p archive-bench --bin search_http -- --cases 100000`.
//!
//! Imports so many synthetic case files as a business system would send them, lets the index follow, then asks each
//! kind of question for values that exist, one after the other, each as a clerk of the outlet it belongs to. Every
//! search is put on the operation log before it is answered. `--folder DIR` keeps the archive for a next run.

use std::{
    collections::{HashMap, VecDeque},
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use archive_api::{
    entries::{EntryFormat, Importer},
    state::ApiSettings,
};
use archive_bench::{
    archive::BenchArchive,
    corpus::{argument, case_document},
};
use chrono::Days;
use domain::access::Role;
use indexer::document::CaseDocument;
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::Value;
use tokio::sync::watch;
use workers::index_follower::IndexFollower;

type Parameters = Vec<(&'static str, String)>;
type Kind = (&'static str, fn(&CaseDocument) -> Parameters);

const KINDS: [Kind; 17] = [
    ("slip number, whole", |case| vec![("slip_number", case.slip_number.clone())]),
    ("slip number, prefix of 14", |case| vec![("slip_number", head(&case.slip_number, 14) + "*")]),
    ("phone, whole", |case| vec![("phone", case.phones[0].clone())]),
    ("phone, last four", |case| vec![("phone", "*".to_owned() + &tail(&case.phones[0], 4))]),
    ("phone, prefix of 7", |case| vec![("phone", head(&case.phones[0], 7) + "*")]),
    ("phone, any 4 inside", |case| vec![("phone", tail(&head(&case.phones[0], 8), 4))]),
    ("identity number, whole", |case| vec![("id_number", case.id_numbers[0].clone())]),
    ("identity number, last four", |case| {
        vec![("id_number", "*".to_owned() + &tail(&case.id_numbers[0], 4))]
    }),
    ("identity number, prefix of 7", |case| vec![("id_number", head(&case.id_numbers[0], 7) + "*")]),
    ("identity number, day of birth inside", |case| {
        vec![("id_number", tail(&head(&case.id_numbers[0], 14), 8))]
    }),
    ("name, whole", |case| vec![("whole_name", case.names[0].clone())]),
    ("name, one character", |case| vec![("name", tail(&case.names[0], 1))]),
    ("name, two characters", |case| vec![("name", head(&case.names[0], 2))]),
    ("outlet and 30 days", thirty_days),
    ("outlet and 30 days, exact count", |case| {
        let mut parameters = thirty_days(case);
        parameters.push(("count", "exact".to_owned()));
        parameters
    }),
    ("address, two characters", |case| vec![("address", inside(&case.addresses[0], 6, 2))]),
    ("address, six characters", |case| vec![("address", inside(&case.addresses[0], 6, 6))]),
];

#[tokio::main]
async fn main() -> Result<()> {
    let cases: u64 = argument("--cases", 100_000)?;
    let queries: usize = argument("--queries", 300)?;
    let kept: PathBuf = argument("--folder", PathBuf::new())?;
    let temporary = tempfile::tempdir()?;
    let folder = if kept.as_os_str().is_empty() { temporary.path().to_owned() } else { kept };
    let archive = BenchArchive::open(&folder).await?;
    fill(&archive, &folder, cases).await?;
    let index = folder.join("index");
    let started = Instant::now();
    let follower = IndexFollower::start(&archive.backends, &index, Duration::from_secs(1)).await?;
    println!("The index caught up in {:.1} s.", started.elapsed().as_secs_f64());
    println!();
    let (_slot, searcher) = watch::channel(Some(follower.searcher()));
    let asker = Asker {
        http: reqwest::Client::builder().no_proxy().build()?,
        address: archive.serve(searcher).await?,
        archive,
        tokens: HashMap::new(),
    };
    measure_all(asker, cases, queries).await?;
    follower.stop().await;
    Ok(())
}

/// Imports what is not there yet.
async fn fill(archive: &BenchArchive, folder: &Path, cases: u64) -> Result<()> {
    let mut look = archive.backends.database.begin_read().await?;
    let there: i64 = look.case_files().count_by_state().await?.iter().map(|(_, count)| count).sum();
    drop(look);
    if there as u64 == cases {
        return Ok(());
    }
    ensure!(there == 0, "{} holds {there} case files; choose another folder", folder.display());
    let importer = Importer { backends: archive.backends.clone(), settings: ApiSettings::default() };
    let started = Instant::now();
    let lines = Box::new(Export::new(cases));
    let report = importer.import(&archive.caller, lines, EntryFormat::Csv, |_| ()).await?;
    ensure!(
        report.new == cases,
        "{} of {cases} entries were imported: {:?}",
        report.new,
        report.bad_lines.first()
    );
    let seconds = started.elapsed().as_secs_f64();
    let size = std::fs::metadata(folder.join("catalogue.db"))?.len();
    println!(
        "{cases} entries imported in {seconds:.1} s, {:.0} a second; the catalogue takes {} bytes each.",
        cases as f64 / seconds,
        size / cases
    );
    Ok(())
}

/// The export of a business system, made line by line while it is read.
struct Export {
    cases: u64,
    next: u64,
    ready: VecDeque<u8>,
}

impl Export {
    fn new(cases: u64) -> Self {
        const HEADERS: &str = "outlet_code,channel,accepted_on,slip_number,service_numbers,customer_type,\
                               customer_name,id_type,id_number,id_address,contact_name,contact_phone,\
                               mailing_address,agent_name,agent_id_number,product\n";
        Self { cases, next: 0, ready: HEADERS.bytes().collect() }
    }
}

impl Read for Export {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.ready.is_empty() && self.next < self.cases {
            self.ready.extend(line(self.next, self.cases).bytes());
            self.next += 1;
        }
        self.ready.read(buffer)
    }
}

fn line(number: u64, cases: u64) -> String {
    let case = case_document(number, cases);
    let contact = case_document((number + 1) % cases, cases);
    // The last of its phones is the contact's.
    let (services, contact_phone) = case.phones.split_at(case.phones.len() - 1);
    let (services, contact_phone) = (services.join(";"), contact_phone.concat());
    let second = |values: &[String]| values.get(1).cloned().unwrap_or_default();
    format!(
        "{},{},{},{},{services},公众,{},居民身份证,{},{},{},{contact_phone},{},{},{},预付费标准产品36元\n",
        case.outlet_code,
        case.channel,
        case.accepted_on,
        case.slip_number,
        case.names[0],
        case.id_numbers[0],
        case.addresses[0],
        contact.names[0],
        case.addresses[1],
        second(&case.names),
        second(&case.id_numbers),
    )
}

/// Asks as the clerk of any outlet.
struct Asker {
    http: reqwest::Client,
    address: String,
    archive: BenchArchive,
    tokens: HashMap<String, Arc<str>>,
}

impl Asker {
    async fn token(&mut self, outlet: &str) -> Result<Arc<str>> {
        if let Some(token) = self.tokens.get(outlet) {
            return Ok(Arc::clone(token));
        }
        let token = self.archive.token(Role::Clerk, &format!("clerk-{outlet}"), Some(outlet)).await?;
        let token: Arc<str> = token.into();
        self.tokens.insert(outlet.to_owned(), Arc::clone(&token));
        Ok(token)
    }

    /// Asks, requires that something was found, and says how long the answer took.
    async fn ask(&self, token: &str, parameters: &Parameters) -> Result<Duration> {
        let request =
            self.http.get(format!("{}/api/v1/case-files", self.address)).bearer_auth(token).query(parameters);
        let started = Instant::now();
        let answer = request.send().await?;
        let status = answer.status();
        let body = answer.bytes().await?;
        let took = started.elapsed();
        ensure!(status.is_success(), "{parameters:?} was answered {status}");
        let answer: Value = serde_json::from_slice(&body)?;
        let found = answer["items"].as_array().context("the answer has no list")?;
        ensure!(!found.is_empty(), "a value that exists was not found: {parameters:?}");
        Ok(took)
    }
}

async fn measure_all(mut asker: Asker, cases: u64, queries: usize) -> Result<()> {
    println!("| {cases} case files, through HTTP as an outlet clerk | p50 ms | p99 ms |");
    println!("|---|---|---|");
    for (title, question) in KINDS {
        let mut random = StdRng::seed_from_u64(99);
        let mut times = Vec::with_capacity(queries);
        // The first tenth warms the cache.
        for round in 0..queries + queries / 10 {
            let case = case_document(random.random_range(0..cases), cases);
            let token = asker.token(&case.outlet_code).await?;
            let took = asker.ask(&token, &question(&case)).await?;
            if round >= queries / 10 {
                times.push(took);
            }
        }
        times.sort();
        println!("| {title} | {} | {} |", show(&times, 50), show(&times, 99));
    }
    Ok(())
}

fn thirty_days(case: &CaseDocument) -> Parameters {
    let from = case.accepted_on.checked_sub_days(Days::new(15)).unwrap_or(case.accepted_on);
    let to = case.accepted_on.checked_add_days(Days::new(14)).unwrap_or(case.accepted_on);
    vec![
        ("outlet", case.outlet_code.clone()),
        ("accepted_from", from.to_string()),
        ("accepted_to", to.to_string()),
    ]
}

fn head(text: &str, length: usize) -> String {
    text.chars().take(length).collect()
}

fn tail(text: &str, length: usize) -> String {
    inside(text, text.chars().count().saturating_sub(length), length)
}

fn inside(text: &str, start: usize, length: usize) -> String {
    text.chars().skip(start).take(length).collect()
}

fn show(sorted: &[Duration], percent: usize) -> String {
    let place = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(place).map_or_else(String::new, |time| format!("{:.2}", time.as_secs_f64() * 1e3))
}
