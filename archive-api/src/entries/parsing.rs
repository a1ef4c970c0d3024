//! From records to entered data.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    io::{self, Read},
};

use chrono::NaiveDate;
use domain::{archival_code, entered_data::EnteredData, field::FieldName};
use serde_json::Value;
use tokio::sync::mpsc;

use super::{
    BadLine, BadLineReason, EntryFormat, ImportError, LISTED_COLUMNS,
    columns::{Column, ColumnMapping},
    json::Members,
    lines::{Division, Quoting, RawRecord, RecordReader},
    reasons,
    text::{self, Encoding},
};
use crate::slip_number;

/// How much of a file its encoding is told from.
const HEAD_BYTES: usize = 4096;
/// A number that is dialled has no fewer digits.
const LEAST_DIGITS: usize = 5;
/// A longer header names nothing.
const MAX_HEADER_CHARACTERS: usize = 64;
/// Longest value, in characters.
const MAX_VALUE_CHARACTERS: usize = 500;

/// One line, parsed.
pub(super) struct ParsedLine {
    /// Where it stands.
    pub line: u64,
    /// Bytes of the file up to here.
    pub bytes_read: u64,
    /// What it holds.
    pub outcome: Result<Box<EnteredData>, BadLine>,
}

/// The values of one line by column.
type Values = HashMap<Column, String>;

/// How a CSV file is laid out.
struct Layout {
    /// What stands between values: a comma, or what a spreadsheet of other settings writes.
    delimiter: u8,
    columns: Vec<Option<Column>>,
}

/// What may stand between values, the standard first.
const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

/// Parses a whole file into a channel; stops early when nobody listens any more. Gives the headers or keys that name
/// no column.
pub(super) fn parse_stream(
    reader: Box<dyn Read + Send>,
    format: EntryFormat,
    columns: &ColumnMapping,
    lines: &mpsc::Sender<ParsedLine>,
) -> Result<BTreeSet<String>, ImportError> {
    let quoting = if format == EntryFormat::Csv { Quoting::Marks } else { Quoting::None };
    let mut reader = reader;
    let mut head = Vec::with_capacity(HEAD_BYTES);
    reader.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head)?;
    let (encoding, mark) = text::detect(&head).ok_or(ImportError::Encoding)?;
    let mut records = RecordReader::new(io::Cursor::new(head).chain(reader), quoting, &DELIMITERS);
    records.skip(mark)?;
    let mut ignored = BTreeSet::new();
    let layout = match format {
        EntryFormat::Csv => Some(read_headers(&mut records, encoding, columns, &mut ignored)?),
        EntryFormat::JsonLines if encoding != Encoding::Utf8 => return Err(ImportError::Encoding),
        EntryFormat::JsonLines => None,
    };
    while let Some(record) = records.next_record()? {
        let values = match &layout {
            Some(layout) => csv_values(&record, encoding, layout),
            None => json_values(&record, columns, &mut ignored),
        };
        let outcome = values.and_then(|values| entered_data(values).map(Box::new));
        let outcome = outcome.map_err(|fault| if records.is_joined() { not_joined(fault) } else { fault });
        if outcome.is_err() {
            // A quotation mark that was never meant to be one may have joined them: each is told of by itself.
            records.give_back();
        }
        let bad = |fault: Fault| BadLine {
            line: record.line,
            column: fault.column.map(|column| columns.header(column).to_owned()),
            reason: fault.reason,
            values: fault.values,
        };
        let outcome = outcome.map_err(bad);
        let parsed = ParsedLine { line: record.line, bytes_read: records.bytes_read(), outcome };
        if lines.blocking_send(parsed).is_err() {
            break;
        }
    }
    Ok(ignored)
}

/// What is wrong with a line, and in which column.
struct Fault {
    column: Option<Column>,
    reason: BadLineReason,
    values: Option<reasons::Values>,
}

const fn fault(reason: BadLineReason) -> Fault {
    Fault { column: None, reason, values: None }
}

const fn in_column(column: Column, reason: BadLineReason) -> Fault {
    Fault { column: Some(column), reason, values: None }
}

/// What is wrong with the first of several lines: that the others do not belong to it tells more than their number.
fn not_joined(fault: Fault) -> Fault {
    match fault.reason {
        BadLineReason::WrongNumberOfColumns => self::fault(BadLineReason::QuotationMark),
        _ => fault,
    }
}

/// Notes a header or key that names no column.
fn ignore(name: &str, ignored: &mut BTreeSet<String>) {
    if ignored.len() < LISTED_COLUMNS
        && !name.trim().is_empty()
        && name.chars().count() <= MAX_HEADER_CHARACTERS
    {
        ignored.insert(name.trim().to_owned());
    }
}

fn read_headers(
    records: &mut RecordReader<impl Read>,
    encoding: Encoding,
    columns: &ColumnMapping,
    ignored: &mut BTreeSet<String>,
) -> Result<Layout, ImportError> {
    let record = records.next_record()?.ok_or(ImportError::Empty)?;
    let (mut layout, mut headers) = (Layout { delimiter: DELIMITERS[0], columns: Vec::new() }, Vec::new());
    for delimiter in DELIMITERS {
        let cells = cells(&record, encoding, delimiter).map_err(unreadable_headers)?;
        let named: Vec<Option<Column>> = cells.iter().map(|cell| columns.column(cell)).collect();
        if headers.is_empty() || named.iter().flatten().count() > layout.columns.iter().flatten().count() {
            (layout, headers) = (Layout { delimiter, columns: named }, cells);
        }
    }
    for (place, column) in layout.columns.iter().enumerate() {
        if let Some(column) = column
            && layout.columns[..place].contains(&Some(*column))
        {
            return Err(ImportError::ColumnTwice { header: columns.header(*column).to_owned() });
        }
    }
    let is_missing = |column: &Column| column.is_required() && !layout.columns.contains(&Some(*column));
    let missing: Vec<String> =
        Column::ALL.into_iter().filter(is_missing).map(|column| columns.header(column).to_owned()).collect();
    if !missing.is_empty() {
        return Err(ImportError::ColumnsMissing { columns: missing });
    }
    let unknown = headers.iter().zip(&layout.columns).filter(|(_, column)| column.is_none());
    unknown.for_each(|(header, _)| ignore(header, ignored));
    records.divide(Division { delimiter: layout.delimiter, values: layout.columns.len() });
    Ok(layout)
}

const fn unreadable_headers(reason: BadLineReason) -> ImportError {
    match reason {
        BadLineReason::NotText => ImportError::Encoding,
        _ => ImportError::Headers,
    }
}

fn cells(record: &RawRecord, encoding: Encoding, delimiter: u8) -> Result<Vec<String>, BadLineReason> {
    let bytes = record.bytes.as_deref().map_err(|reason| *reason)?;
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .delimiter(delimiter)
        .buffer_capacity(4096)
        .from_reader(bytes);
    let mut cells = csv::ByteRecord::new();
    let is_read = reader.read_byte_record(&mut cells).map_err(|_| BadLineReason::NotText)?;
    if !is_read {
        return Err(BadLineReason::WrongNumberOfColumns);
    }
    // Whatever stood behind the first record of these bytes would be lost.
    if reader.read_byte_record(&mut csv::ByteRecord::new()).unwrap_or(true) {
        return Err(BadLineReason::QuotationMark);
    }
    let text =
        |cell: &[u8]| encoding.decode(cell).map(std::borrow::Cow::into_owned).ok_or(BadLineReason::NotText);
    cells.iter().map(text).collect()
}

fn csv_values(record: &RawRecord, encoding: Encoding, layout: &Layout) -> Result<Values, Fault> {
    let cells = cells(record, encoding, layout.delimiter).map_err(fault)?;
    let (found, expected) = (cells.len(), layout.columns.len());
    if found != expected {
        let values = Some(reasons::Values { found, expected });
        return Err(Fault { values, ..fault(BadLineReason::WrongNumberOfColumns) });
    }
    let named = layout.columns.iter().zip(cells).filter_map(|(column, cell)| Some(((*column)?, cell)));
    Ok(named.collect())
}

fn json_values(
    record: &RawRecord,
    columns: &ColumnMapping,
    ignored: &mut BTreeSet<String>,
) -> Result<Values, Fault> {
    let bytes = record.bytes.as_deref().map_err(|reason| fault(*reason))?;
    let Members(members) = serde_json::from_slice(bytes).map_err(|_| fault(BadLineReason::NotJson))?;
    let mut values = Values::new();
    for (name, value) in members {
        let Some(column) = columns.column(&name) else {
            ignore(&name, ignored);
            continue;
        };
        let text = json_text(&value).ok_or(in_column(column, BadLineReason::WrongType))?;
        if values.insert(column, text).is_some() {
            return Err(in_column(column, BadLineReason::ColumnTwice));
        }
    }
    Ok(values)
}

fn json_text(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(parts) => {
            let parts: Option<Vec<String>> = parts.iter().map(json_text).collect();
            parts.map(|parts| parts.join(";"))
        }
        Value::Bool(_) | Value::Object(_) => None,
    }
}

fn entered_data(mut values: Values) -> Result<EnteredData, Fault> {
    for (column, value) in &values {
        check_value(value).map_err(|reason| in_column(*column, reason))?;
    }
    let mut take =
        |column: Column| values.remove(&column).map(|value| value.trim().to_owned()).unwrap_or_default();
    let slip_number = take(Column::SlipNumber);
    if slip_number.is_empty() {
        return Err(in_column(Column::SlipNumber, BadLineReason::Missing));
    }
    let slip_number = slip_number::normalised(&slip_number)
        .ok_or(in_column(Column::SlipNumber, BadLineReason::NotASlipNumber))?;
    let accepted_on = take(Column::AcceptedOn);
    if accepted_on.is_empty() {
        return Err(in_column(Column::AcceptedOn, BadLineReason::Missing));
    }
    let accepted_on = day(&accepted_on).ok_or(in_column(Column::AcceptedOn, BadLineReason::NotADay))?;
    let outlet_code = take(Column::OutletCode);
    if outlet_code.is_empty() {
        return Err(in_column(Column::OutletCode, BadLineReason::Missing));
    }
    if !archival_code::is_outlet_code(&outlet_code) {
        return Err(in_column(Column::OutletCode, BadLineReason::NotAnOutletCode));
    }
    Ok(EnteredData {
        outlet_code,
        outlet_name: take(Column::OutletName),
        channel: take(Column::Channel),
        accepted_on,
        slip_number,
        service_numbers: several(&take(Column::ServiceNumbers)),
        customer_type: take(Column::CustomerType),
        customer_name: take(Column::CustomerName),
        id_type: take(Column::IdType),
        id_number: take(Column::IdNumber),
        id_address: take(Column::IdAddress),
        contact_name: take(Column::ContactName),
        contact_phone: take(Column::ContactPhone),
        mailing_address: take(Column::MailingAddress),
        agent_name: take(Column::AgentName),
        agent_id_number: take(Column::AgentIdNumber),
        staff_number: take(Column::StaffNumber),
        product: take(Column::Product),
        details: details(values),
    })
}

/// The details among the values that are left; a column that was not sent has none.
fn details(values: Values) -> BTreeMap<FieldName, String> {
    let named = values.into_iter().filter_map(|(column, value)| Some((column.detail()?, value)));
    named.map(|(field, value)| (field, value.trim().to_owned())).collect()
}

fn check_value(value: &str) -> Result<(), BadLineReason> {
    if value.chars().count() > MAX_VALUE_CHARACTERS {
        return Err(BadLineReason::ValueTooLong);
    }
    if value.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(BadLineReason::ControlCharacter);
    }
    Ok(())
}

/// The numbers that stand in one value. A blank divides numbers only where each part may be one by itself: it also
/// stands within a number, as in `155 6280 4516`.
fn several(text: &str) -> Vec<String> {
    let separators = |c: char| matches!(c, ';' | '；' | ',' | '，' | '、' | '/');
    let mut numbers = Vec::new();
    for value in text.split(separators) {
        let parts: Vec<&str> = value.split_whitespace().collect();
        let may_be_one = |part: &&str| part.bytes().filter(u8::is_ascii_digit).count() >= LEAST_DIGITS;
        if parts.iter().all(may_be_one) {
            numbers.extend(parts.into_iter().map(str::to_owned));
        } else {
            numbers.push(parts.concat());
        }
    }
    numbers
}

/// A day as business systems write it; a time of day behind it is passed over.
fn day(text: &str) -> Option<NaiveDate> {
    let day = text.split([' ', 'T', '日']).next().unwrap_or_default();
    let day = day.replace(['年', '月', '/', '.'], "-");
    let is_run_together = day.len() == 8 && day.bytes().all(|byte| byte.is_ascii_digit());
    let form = if is_run_together { "%Y%m%d" } else { "%Y-%m-%d" };
    NaiveDate::parse_from_str(&day, form).ok().filter(|day| (1990..=2999).contains(&year(*day)))
}

fn year(day: NaiveDate) -> i32 {
    chrono::Datelike::year(&day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_as_business_systems_write_them() {
        let expected = NaiveDate::from_ymd_opt(2026, 9, 8);
        for text in
            ["2026-09-08", "2026/9/8", "20260908", "2026年9月8日", "2026-09-08 10:11:12", "2026.09.08"]
        {
            assert_eq!(day(text), expected, "{text}");
        }
        for text in ["2026-13-01", "08/09/2026", "x", "", "00010101", "99991231", "1989-12-31"] {
            assert_eq!(day(text), None, "{text}");
        }
    }

    #[test]
    fn several_numbers_may_stand_in_one_value() {
        assert_eq!(several("1;2；3,4，5、6/7"), ["1", "2", "3", "4", "5", "6", "7"]);
        assert_eq!(several("13812345678 13912345678　02223456789").len(), 3);
        assert_eq!(several("155 6280 4516; 022 23456789"), ["15562804516", "02223456789"]);
        assert!(several(" ").is_empty());
    }
}
