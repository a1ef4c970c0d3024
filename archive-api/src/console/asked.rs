//! Searches on their way through a browser. What names a person is sealed for the account that asked, so that neither
//! the history of the browser nor the log of a proxy holds it; the address can be loaded again like any other.

use backends::vault::SealedPlace;
use serde_json::{Map, Value};

use crate::{
    caller::Caller,
    case_files::SearchQuery,
    problem::{Problem, kinds},
    record::{hex, unhex},
    state::ArchiveState,
};

/// The address under which a search is shown.
pub(super) fn address_of(
    state: &ArchiveState,
    caller: &Caller,
    query: &SearchQuery,
) -> Result<String, Problem> {
    let given = given(query)?;
    if query.names_a_person() {
        let sealed = state.backends.vault.carried_key().seal(place_of(caller), &given)?;
        return Ok(format!("/searches/{}", hex(&sealed)));
    }
    let conditions = serde_urlencoded::to_string(given).map_err(broken)?;
    Ok(format!("/case-files?{conditions}"))
}

/// The search that `address_of` sealed for the same account.
pub(super) fn opened(state: &ArchiveState, caller: &Caller, sealed: &str) -> Result<SearchQuery, Problem> {
    let unusable = || {
        Problem::new(kinds::QUERY_INVALID).with_detail(
            "这个检索地址不能用，请重新填写查询条件。",
            "This address of a search cannot be used; fill in the form again.",
        )
    };
    let sealed = unhex(sealed).ok_or_else(unusable)?;
    state.backends.vault.carried_key().open(place_of(caller), &sealed).map_err(|_| unusable())
}

fn place_of(caller: &Caller) -> SealedPlace {
    SealedPlace { column: "console.search", row: caller.account.id.uuid() }
}

/// The conditions that were given.
fn given(query: &SearchQuery) -> Result<Map<String, Value>, Problem> {
    match serde_json::to_value(query).map_err(broken)? {
        Value::Object(mut conditions) => {
            conditions.retain(|_, value| value.as_str().is_some_and(|text| !text.is_empty()));
            Ok(conditions)
        }
        _ => Ok(Map::new()),
    }
}

fn broken(error: impl std::error::Error + Send + Sync + 'static) -> Problem {
    Problem::new(kinds::INTERNAL).caused_by(error)
}
