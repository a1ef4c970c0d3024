//! The tray: scans that a person must place.

use askama::Template;
use axum::{
    extract::State,
    response::{Redirect, Response},
};
use domain::ids::ScanId;
use serde::Deserialize;

use super::{
    layout::{Frame, page},
    visitor::Visitor,
    words,
};
use crate::{
    extract::{Form, Path, Query},
    paging::{Page, Paging},
    problem::Problem,
    scans::{self, PlaceScan, ScanView, load_tray},
    state::ArchiveState,
};

#[derive(Template)]
#[template(path = "tray.html")]
struct TrayPage {
    frame: Frame,
    waiting: Page<ScanView>,
}

impl TrayPage {
    fn state_of(&self, scan: &ScanView) -> &'static str {
        words::scan_state(self.frame.lang, scan.state)
    }

    fn problem_of(&self, scan: &ScanView) -> String {
        let code = scan.problem.as_deref();
        code.map(|code| words::scan_problem(self.frame.lang, code)).unwrap_or_default()
    }
}

/// The address of the first page that can be shown; empty when there is none.
fn picture_of(scan: &ScanView) -> String {
    let page = scan.pages.iter().find(|page| page.problem.is_none());
    page.map(|page| format!("/api/v1/pages/{}/image?reason=placing&max_side=400", page.id))
        .unwrap_or_default()
}

/// Shows the scans that wait.
pub(super) async fn show(
    State(state): State<ArchiveState>,
    visitor: Visitor,
    Query(paging): Query<Paging>,
) -> Result<Response, Problem> {
    let waiting = load_tray(&state, &visitor.caller, &paging).await?;
    page(&TrayPage { frame: Frame::of(&visitor.caller, visitor.language), waiting })
}

/// Where a scan is to go.
#[derive(Deserialize)]
pub(super) struct PlaceForm {
    slip_number: String,
    #[serde(default)]
    open: Option<String>,
}

/// Places a scan and shows the tray again.
pub(super) async fn place(
    State(state): State<ArchiveState>,
    visitor: Visitor,
    Path(id): Path<ScanId>,
    Form(form): Form<PlaceForm>,
) -> Result<Redirect, Problem> {
    let request =
        PlaceScan { slip_number: Some(form.slip_number), open: form.open.is_some(), ..PlaceScan::default() };
    scans::place(&state, &visitor.caller, id, request).await?;
    Ok(Redirect::to("/tray"))
}
