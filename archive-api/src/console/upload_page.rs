//! Uploading by form, and following what was sent.

use askama::Template;
use axum::{
    extract::{Request, State},
    response::{IntoResponse, Redirect, Response},
};
use domain::{access::Action, ids::UploadId};

use super::{
    layout::{Frame, page},
    visitor::Visitor,
    words,
};
use crate::{
    extract::Path,
    intake::receive_request,
    problem::{Problem, kinds},
    scans::{UploadView, UploadedFile, load_upload},
    state::ArchiveState,
};

#[derive(Template)]
#[template(path = "upload.html")]
struct UploadPage {
    frame: Frame,
    outlet: String,
}

#[derive(Template)]
#[template(path = "upload_progress.html")]
struct ProgressPage {
    frame: Frame,
    upload: UploadView,
}

impl ProgressPage {
    fn state_of(&self, file: &UploadedFile) -> String {
        match (&file.scan, &file.refusal) {
            (Some(scan), _) => {
                let state = words::scan_state(self.frame.lang, scan.state);
                let problem = scan.problem.as_deref().map(|code| words::scan_problem(self.frame.lang, code));
                problem.map_or_else(|| state.to_owned(), |problem| format!("{state} · {problem}"))
            }
            (None, Some(refusal)) => refusal["detail"].as_str().unwrap_or_default().to_owned(),
            (None, None) => String::new(),
        }
    }
}

/// Shows the form.
pub(super) async fn show(visitor: Visitor) -> Result<Response, Problem> {
    if !visitor.caller.has(Action::UploadScan) {
        return Err(Problem::new(kinds::FORBIDDEN));
    }
    let outlet = visitor.caller.account.outlet_code.clone().unwrap_or_default();
    page(&UploadPage { frame: Frame::of(&visitor.caller, visitor.language), outlet })
}

/// Takes the files and goes on to where they can be followed.
pub(super) async fn upload(
    State(state): State<ArchiveState>,
    visitor: Visitor,
    request: Request,
) -> Result<Response, Problem> {
    let receipt = receive_request(&state, visitor.caller, request).await?;
    Ok(Redirect::to(&format!("/uploads/{}", receipt.upload_id)).into_response())
}

/// Shows what became of the files; the page loads itself again until nothing more will change.
pub(super) async fn progress(
    State(state): State<ArchiveState>,
    visitor: Visitor,
    Path(id): Path<UploadId>,
) -> Result<Response, Problem> {
    let upload = load_upload(&state, &visitor.caller, visitor.language, id).await?;
    page(&ProgressPage { frame: Frame::of(&visitor.caller, visitor.language), upload })
}
