//! Lines and records of a file, of bounded length, so that one bad line costs itself and no memory.
//!
//! Nothing is lost between records: every line that is not blank begins a record or belongs to one, and the lines that a
//! record took without being one after all can be given back.

use std::{
    collections::VecDeque,
    io::{self, BufRead, BufReader, Read},
};

use super::{BadLineReason, quotation::Quotation};

/// Longest record.
const MAX_RECORD_BYTES: usize = 64 * 1024;
/// Lines that one record may run over. What is behind a mark that is never closed is looked at so often at most.
const MAX_LINES: usize = 64;

/// A record as it stands in the file.
pub(super) struct RawRecord {
    /// The line it begins on, 1 for the first.
    pub line: u64,
    /// Its bytes without the line's end, or why it is none.
    pub bytes: Result<Vec<u8>, BadLineReason>,
}

/// Whether quotation marks may hold ends of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quoting {
    /// As in CSV.
    Marks,
    /// As in JSON lines, where a line is a record.
    None,
}

/// How a CSV file divides its values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Division {
    /// What stands between two values.
    pub delimiter: u8,
    /// How many values a record has.
    pub values: usize,
}

/// Cuts a file into records.
pub(super) struct RecordReader<R> {
    reader: BufReader<R>,
    quoting: Quoting,
    /// What may stand between values: of any kind until the headers tell which.
    delimiters: Vec<u8>,
    /// How many values a record has, once the headers told.
    values: Option<usize>,
    lines_read: u64,
    bytes_read: u64,
    /// Whether the last line ended with a carriage return, so that a line feed behind it belongs to its end.
    is_return_behind: bool,
    /// Lines that were read ahead.
    ahead: VecDeque<Line>,
    /// Lines of the last record behind its first.
    joined: Vec<Line>,
}

/// One line of a file.
struct Line {
    /// 1 for the first.
    number: u64,
    /// Without its end; `None` when it is too long.
    text: Option<Vec<u8>>,
}

impl<R: Read> RecordReader<R> {
    /// Values may be divided by any of `delimiters` until `divide` says by which.
    pub(super) fn new(reader: R, quoting: Quoting, delimiters: &[u8]) -> Self {
        Self {
            reader: BufReader::with_capacity(MAX_RECORD_BYTES, reader),
            quoting,
            delimiters: delimiters.to_vec(),
            values: None,
            lines_read: 0,
            bytes_read: 0,
            is_return_behind: false,
            ahead: VecDeque::new(),
            joined: Vec::new(),
        }
    }

    pub(super) const fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// Passes over the first bytes, as a byte order mark.
    pub(super) fn skip(&mut self, bytes: usize) -> io::Result<()> {
        let mut mark = vec![0; bytes];
        self.reader.read_exact(&mut mark)?;
        self.bytes_read += bytes as u64;
        Ok(())
    }

    /// From here on records are divided like this.
    pub(super) fn divide(&mut self, division: Division) {
        self.delimiters = vec![division.delimiter];
        self.values = Some(division.values);
    }

    /// The next record that is not blank.
    pub(super) fn next_record(&mut self) -> io::Result<Option<RawRecord>> {
        self.joined.clear();
        while let Some(Line { number, text }) = self.next_line()? {
            let Some(first) = text else {
                return Ok(Some(RawRecord { line: number, bytes: Err(BadLineReason::TooLong) }));
            };
            if first.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let bytes = match self.quoting {
                Quoting::None => Ok(first),
                Quoting::Marks => self.closed(first)?,
            };
            return Ok(Some(RawRecord { line: number, bytes }));
        }
        Ok(None)
    }

    /// Whether the last record took more lines than its first.
    pub(super) const fn is_joined(&self) -> bool {
        !self.joined.is_empty()
    }

    /// The last record was none after all: only its first line is lost, the others are read by themselves.
    pub(super) fn give_back(&mut self) {
        for line in self.joined.drain(..).rev() {
            self.ahead.push_front(line);
        }
    }

    /// The record that begins with this line. Where a quotation mark is open at its end, lines are joined until it is
    /// closed; where it never is, only its own line is lost.
    fn closed(&mut self, first: Vec<u8>) -> io::Result<Result<Vec<u8>, BadLineReason>> {
        let mut quotation = Quotation::default();
        if quotation.pass(&first, &self.delimiters).is_err() {
            return Ok(Err(BadLineReason::QuotationMark));
        }
        if quotation.is_closed() {
            return Ok(Ok(first));
        }
        // Behind a value that is open in the first column, the last line of a record has as many values as a whole one.
        let may_be_joined_by_a_row = quotation.values() == 1;
        let mut record = first;
        while self.joined.len() + 1 < MAX_LINES {
            let Some(next) = self.next_line()? else { break };
            let Some(text) = next.text.as_deref().filter(|text| record.len() + text.len() < MAX_RECORD_BYTES)
            else {
                self.ahead.push_front(next);
                break;
            };
            if !may_be_joined_by_a_row && self.is_row(text) {
                self.ahead.push_front(next);
                break;
            }
            record.push(b'\n');
            record.extend_from_slice(text);
            let is_right = quotation.pass(text, &self.delimiters).is_ok();
            self.joined.push(next);
            if !is_right {
                break;
            }
            if quotation.is_closed() {
                return Ok(Ok(record));
            }
        }
        self.give_back();
        Ok(Err(BadLineReason::QuotationMark))
    }

    /// Whether a line by itself has as many values as a record: then it is one, and no piece of a value.
    fn is_row(&self, line: &[u8]) -> bool {
        let Some(values) = self.values else { return false };
        let delimiters = line.iter().filter(|byte| self.delimiters.contains(byte)).count();
        let mut alone = Quotation::default();
        let is_right = alone.pass(line, &self.delimiters).is_ok();
        delimiters + 1 == values || (is_right && alone.values() == values)
    }

    /// The next line; ends are a line feed, a carriage return, or both.
    fn next_line(&mut self) -> io::Result<Option<Line>> {
        if let Some(line) = self.ahead.pop_front() {
            return Ok(Some(line));
        }
        let (mut text, mut is_too_long, mut has_come) = (Vec::new(), false, false);
        loop {
            let buffer = self.reader.fill_buf()?;
            let Some(first) = buffer.first() else { break };
            if std::mem::take(&mut self.is_return_behind) && *first == b'\n' {
                self.reader.consume(1);
                self.bytes_read += 1;
                continue;
            }
            has_come = true;
            let end = buffer.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let (piece, rest) = buffer.split_at(end.unwrap_or(buffer.len()));
            is_too_long |= text.len() + piece.len() > MAX_RECORD_BYTES;
            if is_too_long {
                text.clear();
            } else {
                text.extend_from_slice(piece);
            }
            self.is_return_behind = rest.first() == Some(&b'\r');
            let taken = piece.len() + usize::from(end.is_some());
            self.reader.consume(taken);
            self.bytes_read += taken as u64;
            if end.is_some() {
                break;
            }
        }
        if !has_come {
            return Ok(None);
        }
        self.lines_read += 1;
        Ok(Some(Line { number: self.lines_read, text: (!is_too_long).then_some(text) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREE: Division = Division { delimiter: b',', values: 3 };

    fn records(text: &str) -> Vec<(u64, Result<String, BadLineReason>)> {
        let mut reader = RecordReader::new(text.as_bytes(), Quoting::Marks, b",");
        reader.divide(THREE);
        let mut records = Vec::new();
        while let Some(record) = reader.next_record().unwrap() {
            records.push((record.line, record.bytes.map(|bytes| String::from_utf8(bytes).unwrap())));
        }
        assert_eq!(reader.bytes_read(), text.len() as u64);
        records
    }

    fn check(text: &str, expected: &[(u64, Option<&str>)]) {
        let expected: Vec<(u64, Result<String, BadLineReason>)> = expected
            .iter()
            .map(|(line, text)| (*line, text.map(str::to_owned).ok_or(BadLineReason::QuotationMark)))
            .collect();
        assert_eq!(records(text), expected, "{text:?}");
    }

    #[test]
    fn a_value_may_run_over_lines() {
        check("a,\"b\nc\",d\r\n\r\ne,f,g\n", &[(1, Some("a,\"b\nc\",d")), (4, Some("e,f,g"))]);
        check("\"a\nb\",c,d\n", &[(1, Some("\"a\nb\",c,d"))]);
        check("a,\"b\nc\",\"d\n\ne\"\n", &[(1, Some("a,\"b\nc\",\"d\n\ne\""))]);
    }

    #[test]
    fn a_mark_within_a_value_opens_nothing() {
        check(
            "1,32\"TV,x\n2,b,c\n3,42\"TV,x\n",
            &[(1, Some("1,32\"TV,x")), (2, Some("2,b,c")), (3, Some("3,42\"TV,x"))],
        );
    }

    #[test]
    fn a_mark_that_is_never_closed_costs_its_own_line_only() {
        check("a,\"b\nc\nd\n", &[(1, None), (2, Some("c")), (3, Some("d"))]);
        check(
            "1,\"b,c\n2,b,c\n3,b,\"c\n4,b,c\n",
            &[(1, None), (2, Some("2,b,c")), (3, None), (4, Some("4,b,c"))],
        );
        // Closed by a line that is a record itself, it would have swallowed it.
        check("1,b,\"c\n2,b,c\"\n", &[(1, None), (2, Some("2,b,c\""))]);
    }

    #[test]
    fn text_behind_a_closed_mark_is_no_value() {
        check("1,\"b\"c,d\n2,b,c\n", &[(1, None), (2, Some("2,b,c"))]);
    }

    #[test]
    fn a_line_that_is_too_long_ends_what_stands_open_and_is_named() {
        let text = format!("1,\"b\n{}\n3,b,c\n", "x".repeat(MAX_RECORD_BYTES + 1));

        let found: Vec<_> = records(&text).into_iter().map(|(line, record)| (line, record.err())).collect();

        let (open, long) = (BadLineReason::QuotationMark, BadLineReason::TooLong);
        assert_eq!(found, [(1, Some(open)), (2, Some(long)), (3, None)]);
    }

    #[test]
    fn every_end_of_a_line_is_one() {
        check(
            "a,b,c\rd,e,f\r\ng,h,i\nj,k,l\r",
            &[(1, Some("a,b,c")), (2, Some("d,e,f")), (3, Some("g,h,i")), (4, Some("j,k,l"))],
        );
    }

    #[test]
    fn an_end_of_two_characters_may_be_cut_by_the_buffer() {
        let line = "x".repeat(MAX_RECORD_BYTES - 1);

        let found = records(&format!("{line}\r\n2\n"));

        assert_eq!(found.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn a_line_without_an_end_takes_no_memory() {
        let text = format!("a\n{}\nb", "x".repeat(1 << 20));

        let found: Vec<_> = records(&text).into_iter().map(|(line, record)| (line, record.is_ok())).collect();

        assert_eq!(found, [(1, true), (2, false), (3, true)]);
    }

    #[test]
    fn marks_that_open_again_on_every_line_are_each_named_once() {
        let found = records(&"a\",\",b,c,d\n".repeat(10_000));

        assert_eq!(found.len(), 10_000);
        assert!(found.iter().zip(1..).all(|((line, record), number)| *line == number && record.is_err()));
    }
}
