//! `GET /api/v1/case-files/{id}`: a case file with everything in it.

use axum::extract::State;
use domain::{access::Action, ids::CaseFileId};

use super::{
    loading::{entered_in_force, visible_case_file},
    show::{Reader, ReasonGiven},
    view::CaseFileView,
};
use crate::{
    caller::Caller,
    extract::{Json, Path},
    problem::Problem,
    record::{append_with_reason, put_on_record},
    state::ArchiveState,
};

/// Answers with the case file, masked as far as the caller may see.
pub(crate) async fn get_case_file(
    State(state): State<ArchiveState>,
    caller: Caller,
    Path(id): Path<CaseFileId>,
) -> Result<Json<CaseFileView>, Problem> {
    read_case_file(&state, &caller, id, None).await.map(Json)
}

/// Reads a case file and puts that on record before it is answered, for the API and the console. A reason asks for
/// clear values.
pub(crate) async fn read_case_file(
    state: &ArchiveState,
    caller: &Caller,
    id: CaseFileId,
    reason: Option<String>,
) -> Result<CaseFileView, Problem> {
    let (needed, given) = match reason {
        Some(_) => (Action::Unmask, ReasonGiven::Yes),
        None => (Action::SeeCaseFile, ReasonGiven::No),
    };
    let mut tx = state.backends.database.begin_read().await?;
    let case_file = visible_case_file(tx.as_mut(), caller, needed, id).await?;
    let relation = caller.relation_to(&case_file);
    let reader = Reader { role: caller.role, relation, reason: given };
    let key_id = case_file.key_id;
    let opened = entered_in_force(&state.backends, tx.as_mut(), &case_file).await?;
    let view = CaseFileView::load(
        (&state.backends, &state.settings.deadlines),
        tx.as_mut(),
        case_file,
        opened,
        reader,
    )
    .await?;
    drop(tx);
    let action = match given {
        ReasonGiven::Yes => "unmask",
        ReasonGiven::No if reader.sees_anything_clear() => "read_clear",
        ReasonGiven::No => "read_masked",
    };
    let entry = caller.log_entry(state.backends.clock.now(), action, ("case_file", id.to_string()), "done");
    match reason {
        Some(reason) => {
            let key = state.backends.vault.required_key(key_id).await?;
            let mut tx = state.backends.database.begin().await?;
            append_with_reason(tx.as_mut(), &entry, (&key, &reason)).await?;
            tx.commit().await?;
        }
        // Asks for no key: of a case file that was destroyed there is none, and what is left of it can be read.
        None => put_on_record(&state.backends, &entry).await?,
    }
    Ok(view)
}
