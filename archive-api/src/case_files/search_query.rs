//! What a search asks for, as it stands in the address, and as the index understands it.

use chrono::NaiveDate;
use domain::{
    access::Scope as RoleScope,
    blind_index::{NamePattern, NumberPattern},
    case_file::CaseState,
    entered_data::Channel,
};
use indexer::query::{Counting, Query, SlipPattern, Sort};
use serde::{Deserialize, Serialize};

use crate::{
    caller::Caller,
    problem::{Problem, kinds},
    slip_number,
};

/// The parameters of a search; lists are divided by commas.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SearchQuery {
    /// First day of acceptance.
    pub accepted_from: String,
    /// Last day of acceptance.
    pub accepted_to: String,
    /// Outlet codes.
    pub outlet: String,
    /// Channel.
    pub channel: String,
    /// States.
    pub state: String,
    /// Finding code.
    pub finding: String,
    /// `true` or `false`: whether a finding is open.
    pub open_findings: String,
    /// Slip number; `TJ2026*` for all that begin so.
    pub slip_number: String,
    /// 档号.
    pub archival_code: String,
    /// A phone number, or four digits of one and more; stars stand for the rest.
    pub phone: String,
    /// An identity number, or four characters of one and more; stars stand for the rest.
    pub id_number: String,
    /// Characters of a name; one is enough.
    pub name: String,
    /// A whole name.
    pub whole_name: String,
    /// Two characters of an address and more.
    pub address: String,
    /// `date` or `slip_number`.
    pub sort: String,
    /// Hits on a page.
    pub limit: String,
    /// Where the page before ended.
    pub cursor: String,
    /// `exact` or `capped`.
    pub count: String,
    /// Number of a change that must be in the index before it is asked; no condition.
    #[serde(skip_serializing)]
    pub at_least: String,
    /// Language of a page of the console; no condition.
    pub lang: String,
}

/// From so many digits on, a phone number without stars is meant whole.
const WHOLE_PHONE: usize = 10;
/// From so many characters on, an identity number without stars is meant whole.
const WHOLE_ID_NUMBER: usize = 15;

impl SearchQuery {
    /// The question for the index, within what this caller may find; `None` when that can be nothing.
    pub(crate) fn for_caller(&self, caller: &Caller) -> Result<Option<Query>, Problem> {
        let mut query = Query::within(caller.search_scope());
        query.accepted_from = day(&self.accepted_from, "accepted_from")?;
        query.accepted_to = day(&self.accepted_to, "accepted_to")?;
        query.outlets = list(&self.outlet).map(str::to_owned).collect();
        // As the rules call it, or in the words of a business system, which are stored as the rules call it.
        query.channel = given(&self.channel).map(|text| {
            Channel::from_entered(text).map_or_else(|| text.to_owned(), |channel| channel.as_str().to_owned())
        });
        query.states = list(&self.state).map(|state| term(state, "state")).collect::<Result<_, _>>()?;
        query.finding_code = given(&self.finding).map(|code| term(code, "finding")).transpose()?;
        query.open_findings =
            given(&self.open_findings).map(|open| term(open, "open_findings")).transpose()?;
        query.slip_number = given(&self.slip_number).map(slip_pattern).transpose()?;
        query.archival_code = given(&self.archival_code).map(str::to_owned);
        query.phone = given(&self.phone).map(|text| number_pattern(text, WHOLE_PHONE));
        query.id_number = given(&self.id_number).map(|text| number_pattern(text, WHOLE_ID_NUMBER));
        query.name = match (given(&self.whole_name), given(&self.name)) {
            (Some(whole), _) => Some(NamePattern::Whole(whole.to_owned())),
            (None, part) => part.map(|part| NamePattern::Part(part.to_owned())),
        };
        query.address = given(&self.address).map(str::to_owned);
        query.sort = match self.sort.as_str() {
            "" | "date" => Sort::NewestFirst,
            "slip_number" => Sort::SlipNumber,
            _ => return Err(invalid("sort")),
        };
        query.limit = given(&self.limit).map_or(Ok(20), |limit| term(limit, "limit"))?;
        query.cursor = given(&self.cursor).map(str::to_owned);
        query.counting = match self.count.as_str() {
            "" => Counting::No,
            "exact" => Counting::Exact,
            "capped" => Counting::Capped,
            _ => return Err(invalid("count")),
        };
        Ok(within_states(query, caller))
    }

    /// The change that the index must have followed to.
    pub(crate) fn at_least(&self) -> Result<Option<u64>, Problem> {
        given(&self.at_least).map(|number| term(number, "at_least")).transpose()
    }
}

/// What an outlet has handed over to the archive is no longer the outlet's to find.
fn within_states(mut query: Query, caller: &Caller) -> Option<Query> {
    if caller.role.scope() != RoleScope::OwnOutlets {
        return Some(query);
    }
    if query.states.is_empty() {
        query.states = CaseState::ALL.to_vec();
    }
    query.states.retain(|state| *state < CaseState::Archived);
    (!query.states.is_empty()).then_some(query)
}

fn given(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', '，']).map(str::trim).filter(|part| !part.is_empty())
}

fn term<T: std::str::FromStr>(text: &str, name: &'static str) -> Result<T, Problem> {
    text.parse().map_err(|_| invalid(name))
}

fn day(text: &str, name: &'static str) -> Result<Option<NaiveDate>, Problem> {
    given(text).map(|text| term(text, name)).transpose()
}

fn invalid(name: &'static str) -> Problem {
    Problem::new(kinds::QUERY_INVALID)
        .with_detail(format!("参数 {name} 的值无效。"), format!("The value of {name} is not valid."))
}

fn slip_pattern(text: &str) -> Result<SlipPattern, Problem> {
    let text = text.replace('＊', "*");
    let normalised = |text: &str| slip_number::normalised(text).ok_or_else(|| invalid("slip_number"));
    match text.strip_suffix('*') {
        Some(prefix) => Ok(SlipPattern::Prefix(normalised(prefix)?)),
        None => Ok(SlipPattern::Whole(normalised(&text)?)),
    }
}

/// Stars decide; without them a short text is a part.
fn number_pattern(text: &str, whole_from: usize) -> NumberPattern {
    match NumberPattern::parse(text) {
        NumberPattern::Whole(text) if text.chars().filter(|c| c.is_alphanumeric()).count() < whole_from => {
            NumberPattern::Part(text)
        }
        pattern => pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_number_is_a_part_and_a_long_one_is_whole() {
        let is =
            |text: &str, expected: &NumberPattern| assert!(number_pattern(text, 15) == *expected, "{text}");
        is("002X", &NumberPattern::Part("002X".to_owned()));
        is("*002X", &NumberPattern::Suffix("002X".to_owned()));
        is("1101*", &NumberPattern::Prefix("1101".to_owned()));
        is("11010519491231002X", &NumberPattern::Whole("11010519491231002X".to_owned()));
    }
}
