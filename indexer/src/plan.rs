//! From a question to what tantivy is asked.

use std::ops::RangeInclusive;

use domain::blind_index::{
    BlindField, BlindKey, NumberShape, TextLookup, Token, address_lookup, name_lookup, number_lookup,
};
use tantivy::{
    Term,
    query::{AllQuery, BooleanQuery, EmptyQuery, PhraseQuery, TermQuery},
    schema::{Field, IndexRecordOption},
};

use crate::{
    query::{MAX_PAGE, Query, QueryError, Scope, SlipPattern},
    schema::{self, Fields},
};

/// Alternatives of numbers up to this many are spread over the other clauses.
const MAX_SPREAD: usize = 6;

type Clause = Box<dyn tantivy::query::Query>;

/// A question ready to be asked of every segment.
pub(crate) struct Plan {
    /// The conditions tantivy answers.
    pub clause: Clause,
    /// The range of the order column.
    pub orders: RangeInclusive<u64>,
    /// The slip number starts with this.
    pub slip_prefix: Option<String>,
}

/// The shapes of numbers that exist in the index; parts are looked for at the places these have.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shapes {
    pub phone: Vec<NumberShape>,
    pub id_number: Vec<NumberShape>,
}

pub(crate) fn plan(
    fields: &Fields,
    key: &BlindKey,
    shapes: &Shapes,
    query: &Query,
) -> Result<Plan, QueryError> {
    if query.limit == 0 || query.limit > MAX_PAGE {
        return Err(QueryError::PageSize { given: query.limit });
    }
    let mut clauses = scope_clauses(fields, query)?;
    clauses.extend(word_clauses(fields, query)?);
    clauses.extend(text_clauses(fields, key, query)?);
    let clause = spread(fields, clauses, number_lookups(key, shapes, query)?);
    let slip_prefix = match &query.slip_number {
        Some(SlipPattern::Prefix(text)) => Some(not_empty("slip number", text)?.to_owned()),
        _ => None,
    };
    Ok(Plan { clause, orders: orders(query)?, slip_prefix })
}

fn orders(query: &Query) -> Result<RangeInclusive<u64>, QueryError> {
    if let (Some(from), Some(to)) = (query.accepted_from, query.accepted_to)
        && from > to
    {
        return Err(QueryError::DaysReversed { from, to });
    }
    let first = query.accepted_from.map_or(0, schema::first_of_day);
    let last = query.accepted_to.map_or(u64::MAX, schema::last_of_day);
    Ok(first..=last)
}

fn scope_clauses(fields: &Fields, query: &Query) -> Result<Vec<Clause>, QueryError> {
    let scope = match &query.scope {
        Scope::Everything => None,
        Scope::Branches(codes) => Some((fields.branch, codes)),
        Scope::Outlets(codes) => Some((fields.outlet, codes)),
    };
    let mut clauses = Vec::new();
    if let Some((field, codes)) = scope {
        if codes.is_empty() {
            return Err(QueryError::EmptyScope);
        }
        clauses.push(any_word(field, codes.iter().map(String::as_str)));
    }
    if !query.outlets.is_empty() {
        clauses.push(any_word(fields.outlet, query.outlets.iter().map(String::as_str)));
    }
    Ok(clauses)
}

fn word_clauses(fields: &Fields, query: &Query) -> Result<Vec<Clause>, QueryError> {
    let mut clauses = Vec::new();
    if let Some(channel) = &query.channel {
        clauses.push(word(fields.channel, not_empty("channel", channel)?));
    }
    if !query.states.is_empty() {
        clauses.push(any_word(fields.state, query.states.iter().map(|state| state.as_str())));
    }
    if let Some(code) = query.finding_code {
        clauses.push(word(fields.finding, code.as_str()));
    }
    if let Some(open) = query.open_findings {
        clauses.push(word(fields.open, schema::open_word(open)));
    }
    if let Some(SlipPattern::Whole(text)) = &query.slip_number {
        clauses.push(word(fields.slip_number, not_empty("slip number", text)?));
    }
    if let Some(code) = &query.archival_code {
        clauses.push(word(fields.archival_code, not_empty("archival code", code)?));
    }
    Ok(clauses)
}

fn text_clauses(fields: &Fields, key: &BlindKey, query: &Query) -> Result<Vec<Clause>, QueryError> {
    let mut clauses = Vec::new();
    if let Some(pattern) = &query.name {
        let lookup = name_lookup(key, pattern).map_err(QueryError::Name)?;
        clauses.push(text_clause(fields, fields.names, lookup));
    }
    if let Some(text) = &query.address {
        let lookup = address_lookup(key, text).map_err(QueryError::Address)?;
        clauses.push(text_clause(fields, fields.addresses, lookup));
    }
    Ok(clauses)
}

/// For each number asked for its alternatives, of each all tokens.
fn number_lookups(
    key: &BlindKey,
    shapes: &Shapes,
    query: &Query,
) -> Result<Vec<Vec<Vec<Token>>>, QueryError> {
    let mut lookups = Vec::new();
    if let Some(pattern) = &query.phone {
        let lookup = number_lookup(key, BlindField::Phone, pattern, &shapes.phone);
        lookups.push(lookup.map_err(QueryError::Phone)?);
    }
    if let Some(pattern) = &query.id_number {
        let lookup = number_lookup(key, BlindField::IdNumber, pattern, &shapes.id_number);
        lookups.push(lookup.map_err(QueryError::IdNumber)?);
    }
    Ok(lookups)
}

/// All clauses and, of each number, one alternative.
///
/// Few alternatives are spread: each stands beside all other clauses, so that the rarest of all leads the walk.
/// Within one union the engine would first gather every alternative without regard to the rest.
fn spread(fields: &Fields, clauses: Vec<Clause>, numbers: Vec<Vec<Vec<Token>>>) -> Clause {
    let mut branches = vec![clauses];
    for alternatives in numbers {
        let conditions: Vec<Vec<Clause>> = alternatives
            .into_iter()
            .map(|tokens| tokens.into_iter().map(|token| plain(fields, token)).collect())
            .collect();
        if branches.len() * conditions.len() <= MAX_SPREAD {
            branches = branches
                .iter()
                .flat_map(|branch| conditions.iter().map(|condition| copy(branch.iter().chain(condition))))
                .collect();
        } else {
            let union = any_of(conditions.into_iter().map(all_of).collect());
            for branch in &mut branches {
                branch.push(union.box_clone());
            }
        }
    }
    any_of(branches.into_iter().map(all_of).collect())
}

fn copy<'a>(clauses: impl Iterator<Item = &'a Clause>) -> Vec<Clause> {
    clauses.map(|clause| clause.box_clone()).collect()
}

fn any_of(mut clauses: Vec<Clause>) -> Clause {
    match clauses.len() {
        0 => Box::new(EmptyQuery),
        1 => clauses.swap_remove(0),
        _ => Box::new(BooleanQuery::union(clauses)),
    }
}

fn all_of(mut clauses: Vec<Clause>) -> Clause {
    match clauses.len() {
        0 => Box::new(AllQuery),
        1 => clauses.swap_remove(0),
        _ => Box::new(BooleanQuery::intersection(clauses)),
    }
}

fn text_clause(fields: &Fields, field: Field, lookup: TextLookup) -> Clause {
    match lookup {
        TextLookup::Plain(token) => plain(fields, token),
        TextLookup::Phrase(tokens) => match tokens.as_slice() {
            [token] => term(Term::from_field_text(field, &schema::token_text(*token))),
            _ => Box::new(PhraseQuery::new_with_offset(
                tokens
                    .iter()
                    .map(|token| Term::from_field_text(field, &schema::token_text(*token)))
                    .enumerate()
                    .collect(),
            )),
        },
    }
}

fn plain(fields: &Fields, token: Token) -> Clause {
    term(Term::from_field_bytes(fields.tokens, token.bytes()))
}

fn word(field: Field, text: &str) -> Clause {
    term(Term::from_field_text(field, text))
}

fn any_word<'a>(field: Field, texts: impl Iterator<Item = &'a str>) -> Clause {
    any_of(texts.map(|text| word(field, text)).collect())
}

fn term(term: Term) -> Clause {
    Box::new(TermQuery::new(term, IndexRecordOption::Basic))
}

fn not_empty<'a>(what: &'static str, text: &'a str) -> Result<&'a str, QueryError> {
    match text.trim() {
        "" => Err(QueryError::Empty(what)),
        text => Ok(text),
    }
}
