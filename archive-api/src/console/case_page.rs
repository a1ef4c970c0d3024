//! The page of one case file: findings, typed values, page images with boxes, history.

use askama::Template;
use axum::{extract::State, response::Response};
use chrono::NaiveDate;
use domain::{
    access::{Action, Relation, Role},
    finding::FindingState,
    geometry::Quad,
    ids::CaseFileId,
};

use super::{
    layout::{Frame, page},
    visitor::Visitor,
    words,
};
use crate::{
    caller::Caller,
    case_files::{CaseFileView, FindingView, ReadingView, Shown, read_case_file},
    extract::Path,
    language::Language,
    problem::Problem,
    state::ArchiveState,
};

#[derive(Template)]
#[template(path = "case_file.html")]
struct CasePage {
    frame: Frame,
    case_file: CaseFileView,
    state: &'static str,
    deadlines: Vec<DeadlineLine>,
    findings: Vec<FindingLine>,
    warnings: Vec<(String, &'static str)>,
    entered: Vec<(String, Shown)>,
    pages: Vec<PagePicture>,
    history: Vec<(String, String, String)>,
    task: TaskShown,
}

/// What may be done about the case file as a task.
struct TaskShown {
    step: TaskStep,
    may_decide: bool,
    is_clear: bool,
}

/// The next thing that may be done about a task.
#[derive(PartialEq, Eq)]
enum TaskStep {
    Take,
    TakeOver,
    GiveBack,
    None,
}

impl TaskShown {
    fn of(caller: &Caller, case_file: &CaseFileView) -> Self {
        let is_mine = case_file.assigned_to == Some(caller.account.id);
        let is_free = case_file.assigned_to.is_none();
        let decides = caller.has(Action::DecideFinding);
        let waits = decides && case_file.state.awaits_auditor();
        let step = match (is_mine, waits) {
            (true, _) => TaskStep::GiveBack,
            (false, true) if is_free => TaskStep::Take,
            (false, true) => TaskStep::TakeOver,
            (false, false) => TaskStep::None,
        };
        Self {
            step,
            may_decide: decides && (is_free || is_mine),
            is_clear: case_file.relation == Relation::AssignedTask,
        }
    }
}

/// One deadline as it is shown.
struct DeadlineLine {
    what: &'static str,
    on: NaiveDate,
    is_estimate: bool,
    is_overdue: bool,
}

/// One finding as a line of the table.
struct FindingLine {
    id: String,
    code: &'static str,
    subject: String,
    read: String,
    entered: String,
    difference: &'static str,
    causes: String,
    confidence: String,
    state: &'static str,
    is_open: bool,
    settled_reason: String,
}

/// One page with the boxes of its findings.
struct PagePicture {
    label: String,
    causes: String,
    address: String,
    width: i64,
    height: i64,
    boxes: Vec<BoxOnPage>,
}

struct BoxOnPage {
    points: String,
    title: String,
}

/// Shows the case file.
pub(super) async fn show(
    State(state): State<ArchiveState>,
    visitor: Visitor,
    Path(id): Path<CaseFileId>,
) -> Result<Response, Problem> {
    let Visitor { caller, language } = visitor;
    let case_file = read_case_file(&state, &caller, id, None).await?;
    let in_force = case_file.findings.iter().filter(|finding| finding.state != FindingState::Withdrawn);
    let findings: Vec<FindingLine> = in_force.map(|finding| line(language, finding)).collect();
    let deadlines = case_file.deadlines.iter().map(|deadline| DeadlineLine {
        what: words::deadline(language, deadline.code),
        on: deadline.due.on,
        is_estimate: deadline.due.is_estimate,
        is_overdue: deadline.is_overdue,
    });
    let warnings = case_file.warnings.iter().map(|warning| {
        (words::subject(language, warning.field.as_str()), words::warning(language, warning.reason))
    });
    let entered = &case_file.entered;
    let entered =
        entered.iter().map(|(name, shown)| (words::subject(language, name), shown.clone())).collect();
    let history = case_file.history.iter().map(|change| {
        let at = local_time(change.changed_at);
        (at, words::state(language, change.to).to_owned(), words::change_reason(language, &change.reason))
    });
    let history = history.collect();
    page(&CasePage {
        state: words::state(language, case_file.state),
        deadlines: deadlines.collect(),
        findings,
        warnings: warnings.collect(),
        entered,
        pages: pages(language, &caller, &case_file),
        history,
        task: TaskShown::of(&caller, &case_file),
        frame: Frame::of(&caller, language),
        case_file,
    })
}

fn line(lang: Language, finding: &FindingView) -> FindingLine {
    let shown = |value: &Option<Shown>| value.as_ref().map(|shown| shown.value.clone()).unwrap_or_default();
    FindingLine {
        id: finding.id.to_string(),
        code: words::code(lang, finding.code),
        subject: words::subject(lang, &finding.subject),
        read: shown(&finding.read),
        entered: shown(&finding.entered),
        difference: finding.difference.map_or("", |difference| words::difference(lang, difference)),
        causes: words::causes_in(lang, finding.reason.as_deref().unwrap_or_default()),
        confidence: finding
            .confidence
            .map(|sure| format!("{:.0} %", sure.value() * 100.0))
            .unwrap_or_default(),
        state: words::finding_state(lang, finding.state),
        is_open: finding.state.is_open(),
        settled_reason: shown(&finding.settled_reason),
    }
}

fn pages(lang: Language, caller: &Caller, case_file: &CaseFileView) -> Vec<PagePicture> {
    // The purpose that the watermark names; whose task it is not sees the page blurred in any case.
    let reason = match caller.role {
        Role::Auditor => "audit",
        Role::Clerk => "handling",
        _ => "review",
    };
    let mut pictures = Vec::new();
    for (scan_number, scan) in case_file.scans.iter().enumerate() {
        for page in scan.pages.iter().filter(|page| page.problem.is_none()) {
            let here = case_file.findings.iter().filter(|finding| {
                finding.page_id == Some(page.id) && finding.state != FindingState::Withdrawn
            });
            let boxes = here.filter_map(|finding| {
                let title =
                    format!("{} {}", words::code(lang, finding.code), words::subject(lang, &finding.subject));
                Some(BoxOnPage { points: points(&finding.region?), title })
            });
            let readings = case_file.readings.iter().filter(|reading| reading.page_id == page.id);
            let newest = readings.max_by_key(|reading| reading.made_at);
            let causes = newest.map(ReadingView::causes).unwrap_or_default();
            pictures.push(PagePicture {
                causes: words::joined(lang, causes.into_iter().map(|cause| words::cause(lang, cause))),
                label: format!("{}-{}", scan_number + 1, page.page_number),
                address: format!("/api/v1/pages/{}/image?reason={reason}", page.id),
                width: page.width,
                height: page.height,
                boxes: boxes.collect(),
            });
        }
    }
    pictures
}

fn points(region: &Quad) -> String {
    let corners: Vec<String> =
        region.0.iter().map(|point| format!("{:.0},{:.0}", point.x, point.y)).collect();
    corners.join(" ")
}

/// A time as the office's clocks show it.
fn local_time(at: chrono::DateTime<chrono::Utc>) -> String {
    const OFFICE_OFFSET_SECONDS: i32 = 8 * 3600;
    let office = chrono::FixedOffset::east_opt(OFFICE_OFFSET_SECONDS);
    office.map_or_else(String::new, |office| at.with_timezone(&office).format("%Y-%m-%d %H:%M").to_string())
}
