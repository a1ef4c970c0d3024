//! The fields of the index and how a case file becomes a document of it.

use chrono::{Datelike, NaiveDate};
use domain::{
    blind_index::{BlindField, BlindKey, PlacedToken, Token, address_tokens, name_tokens, number_tokens},
    ids::CaseFileId,
};
use tantivy::{
    IndexSettings, IndexSortByField, Order, TantivyDocument, Term,
    schema::{
        BytesOptions, Field, IndexRecordOption, NumericOptions, Schema, TextFieldIndexing, TextOptions,
    },
    tokenizer::PreTokenizedString,
};
use uuid::Uuid;

use crate::document::CaseDocument;

/// Changes whenever an index written before could not be read or would miss something.
pub(crate) const FORMAT: &str = "3";
/// The column that orders the documents of a segment, newest first.
pub(crate) const ORDER: &str = "order";
pub(crate) const ID_MIDDLE: &str = "id_middle";
pub(crate) const ID_LOW: &str = "id_low";
pub(crate) const SLIP_NUMBER: &str = "slip_number";

/// Bits of the id that stand below the day in the order column: milliseconds until the year 2527.
const MOMENT_BITS: u32 = 44;
const MOMENT_MASK: u64 = (1 << MOMENT_BITS) - 1;
/// Days from the year 1 that fit above the moment: until the year 2871.
const LAST_DAY: u64 = (1 << (64 - MOMENT_BITS)) - 1;

/// Handles of the fields.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields {
    pub order: Field,
    pub id_middle: Field,
    pub id_low: Field,
    /// Hash of the id: what a deletion looks for.
    pub id: Field,
    pub slip_number: Field,
    pub outlet: Field,
    pub branch: Field,
    pub channel: Field,
    pub state: Field,
    pub finding: Field,
    pub open: Field,
    pub archival_code: Field,
    /// Tokens without place: numbers, whole names, single characters.
    pub tokens: Field,
    /// Pairs of a name, with their places.
    pub names: Field,
    /// Pairs of an address, with their places.
    pub addresses: Field,
}

/// Makes the schema; two calls give the same.
pub(crate) fn schema() -> (Schema, Fields) {
    let mut builder = Schema::builder();
    let column = || NumericOptions::default().set_fast();
    let word = || text(IndexRecordOption::Basic);
    let fields = Fields {
        order: builder.add_u64_field(ORDER, column()),
        id_middle: builder.add_u64_field(ID_MIDDLE, column()),
        id_low: builder.add_u64_field(ID_LOW, column()),
        id: builder.add_bytes_field("id", BytesOptions::default().set_indexed()),
        slip_number: builder.add_text_field(SLIP_NUMBER, word().set_fast("raw")),
        outlet: builder.add_text_field("outlet", word()),
        branch: builder.add_text_field("branch", word()),
        channel: builder.add_text_field("channel", word()),
        state: builder.add_text_field("state", word()),
        finding: builder.add_text_field("finding", word()),
        open: builder.add_text_field("open", word()),
        archival_code: builder.add_text_field("archival_code", word()),
        tokens: builder.add_bytes_field("tokens", BytesOptions::default().set_indexed()),
        names: builder.add_text_field("names", text(IndexRecordOption::WithFreqsAndPositions)),
        addresses: builder.add_text_field("addresses", text(IndexRecordOption::WithFreqsAndPositions)),
    };
    (builder.build(), fields)
}

fn text(option: IndexRecordOption) -> TextOptions {
    let indexing =
        TextFieldIndexing::default().set_tokenizer("raw").set_fieldnorms(false).set_index_option(option);
    TextOptions::default().set_indexing_options(indexing)
}

/// Every segment keeps its documents newest first.
pub(crate) fn settings() -> IndexSettings {
    IndexSettings {
        sort_by_field: Some(IndexSortByField { field: ORDER.to_owned(), order: Order::Desc }),
        ..IndexSettings::default()
    }
}

/// Day of acceptance above, moment of the id below: the order of search results, and unique but for ids made
/// in the same millisecond.
pub(crate) fn order_key(accepted_on: NaiveDate, id: CaseFileId) -> u64 {
    (day_number(accepted_on) << MOMENT_BITS) | ((id.uuid().as_u128() >> 80) as u64 & MOMENT_MASK)
}

/// The smallest order of a day.
pub(crate) fn first_of_day(day: NaiveDate) -> u64 {
    day_number(day) << MOMENT_BITS
}

/// The greatest order of a day.
pub(crate) fn last_of_day(day: NaiveDate) -> u64 {
    (day_number(day) << MOMENT_BITS) | MOMENT_MASK
}

/// The day an order belongs to.
pub(crate) fn day_of(order: u64) -> NaiveDate {
    NaiveDate::from_num_days_from_ce_opt((order >> MOMENT_BITS) as i32).unwrap_or_default()
}

fn day_number(day: NaiveDate) -> u64 {
    u64::try_from(day.num_days_from_ce()).unwrap_or(0).min(LAST_DAY)
}

/// Puts an id together from the three columns.
pub(crate) fn id_from_columns(order: u64, middle: u64, low: u64) -> Uuid {
    let high = ((middle >> 16) << 60) | ((order & MOMENT_MASK) << 16) | (middle & 0xFFFF);
    Uuid::from_u64_pair(high, low)
}

/// The word for case files with, or without, an open finding.
pub(crate) const fn open_word(has_open_findings: bool) -> &'static str {
    if has_open_findings { "yes" } else { "no" }
}

/// What finds a case file for deletion.
pub(crate) fn id_term(fields: &Fields, key: &BlindKey, id: CaseFileId) -> Term {
    Term::from_field_bytes(fields.id, &key.digest(&id.to_string()))
}

/// Turns a case file into a document; the clear personal values end here.
pub(crate) fn document(fields: &Fields, key: &BlindKey, case: &CaseDocument) -> TantivyDocument {
    let mut document = TantivyDocument::default();
    let (high, low) = case.case_file_id.uuid().as_u64_pair();
    document.add_u64(fields.order, order_key(case.accepted_on, case.case_file_id));
    document.add_u64(fields.id_middle, ((high >> 60) << 16) | (high & 0xFFFF));
    document.add_u64(fields.id_low, low);
    document.add_bytes(fields.id, &key.digest(&case.case_file_id.to_string()));
    for (field, word) in [
        (fields.slip_number, case.slip_number.as_str()),
        (fields.outlet, &case.outlet_code),
        (fields.branch, &case.branch_code),
        (fields.channel, &case.channel),
        (fields.state, case.state.as_str()),
        (fields.open, open_word(case.has_open_findings)),
        (fields.archival_code, case.archival_code.as_deref().unwrap_or_default()),
    ] {
        if !word.is_empty() {
            document.add_text(field, word);
        }
    }
    for code in &case.finding_codes {
        document.add_text(fields.finding, code.as_str());
    }
    add_personal_values(&mut document, fields, key, case);
    document
}

fn add_personal_values(document: &mut TantivyDocument, fields: &Fields, key: &BlindKey, case: &CaseDocument) {
    let names = name_tokens(key, case.names.iter().map(String::as_str));
    let numbers = [(BlindField::IdNumber, &case.id_numbers), (BlindField::Phone, &case.phones)]
        .into_iter()
        .flat_map(|(field, values)| number_tokens(key, field, values.iter().map(String::as_str)));
    for token in names.plain.into_iter().chain(numbers) {
        document.add_bytes(fields.tokens, token.bytes());
    }
    add_placed(document, fields.names, &names.placed);
    let addresses = address_tokens(key, case.addresses.iter().map(String::as_str));
    add_placed(document, fields.addresses, &addresses);
}

fn add_placed(document: &mut TantivyDocument, field: Field, placed: &[PlacedToken]) {
    if placed.is_empty() {
        return;
    }
    let tokens = placed
        .iter()
        .map(|placed| tantivy::tokenizer::Token {
            position: placed.position as usize,
            text: token_text(placed.token),
            ..tantivy::tokenizer::Token::default()
        })
        .collect();
    document.add_pre_tokenized_text(field, PreTokenizedString { text: String::new(), tokens });
}

/// A token as text, for the fields with places: tantivy keeps places of text only.
pub(crate) fn token_text(token: Token) -> String {
    const DIGITS: &[u8; 64] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~";
    let number = token.bytes().iter().fold(0u64, |number, byte| (number << 8) | u64::from(*byte));
    (0..8).rev().map(|place| char::from(DIGITS[(number >> (6 * place)) as usize & 63])).collect()
}
