//! Lines and records of a file, of bounded length, so that one bad line costs itself and no memory.

use std::io::{self, BufRead, BufReader, Read};

/// Longest record; one with a quotation mark that is never closed is given up here.
const MAX_RECORD_BYTES: usize = 64 * 1024;

/// A record as it stands in the file.
pub(super) struct RawRecord {
    /// The line it begins on, 1 for the first.
    pub line: u64,
    /// Its bytes without the line's end; `None` when it is too long.
    pub bytes: Option<Vec<u8>>,
}

/// Whether quotation marks may hold ends of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quoting {
    /// As in CSV.
    Marks,
    /// As in JSON lines, where a line is a record.
    None,
}

/// Cuts a file into records.
pub(super) struct RecordReader<R> {
    reader: BufReader<R>,
    quoting: Quoting,
    line: u64,
    bytes_read: u64,
    /// Lines read ahead while a quotation mark stood open that was never closed.
    ahead: Vec<Vec<u8>>,
}

impl<R: Read> RecordReader<R> {
    pub(super) fn new(reader: R, quoting: Quoting) -> Self {
        let reader = BufReader::with_capacity(MAX_RECORD_BYTES, reader);
        Self { reader, quoting, line: 0, bytes_read: 0, ahead: Vec::new() }
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

    /// The next record that is not blank.
    pub(super) fn next_record(&mut self) -> io::Result<Option<RawRecord>> {
        loop {
            let next = self.next_line()?;
            let line = self.line;
            let first = match next {
                Line::Text(first) => first,
                Line::TooLong => return Ok(Some(RawRecord { line, bytes: None })),
                Line::End => return Ok(None),
            };
            if first.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            if self.quoting == Quoting::None || is_closed(&first) {
                return Ok(Some(RawRecord { line, bytes: Some(first) }));
            }
            return self.close(line, first).map(Some);
        }
    }

    /// Joins lines until the quotation mark is closed. Where it never is, only its own line is lost.
    fn close(&mut self, line: u64, first: Vec<u8>) -> io::Result<RawRecord> {
        let mut record = first;
        let mut joined = Vec::new();
        while record.len() < MAX_RECORD_BYTES {
            let Line::Text(next) = self.next_line()? else { break };
            record.push(b'\n');
            record.extend_from_slice(&next);
            joined.push(next);
            if is_closed(&record) {
                return Ok(RawRecord { line, bytes: Some(record) });
            }
        }
        joined.reverse();
        self.line = line;
        self.ahead.extend(joined);
        Ok(RawRecord { line, bytes: None })
    }

    /// The next line without its end.
    fn next_line(&mut self) -> io::Result<Line> {
        if let Some(line) = self.ahead.pop() {
            self.line += 1;
            return Ok(Line::Text(line));
        }
        let mut line = Vec::new();
        let mut is_too_long = false;
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                if line.is_empty() && !is_too_long {
                    return Ok(Line::End);
                }
                break;
            }
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(buffer.len(), |end| end + 1);
            if line.len() + taken > MAX_RECORD_BYTES {
                is_too_long = true;
                line.clear();
            }
            if !is_too_long {
                line.extend_from_slice(&buffer[..taken]);
            }
            self.reader.consume(taken);
            self.bytes_read += taken as u64;
            if end.is_some() {
                break;
            }
        }
        self.line += 1;
        while line.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
            line.pop();
        }
        Ok(if is_too_long { Line::TooLong } else { Line::Text(line) })
    }
}

/// One line of a file.
enum Line {
    Text(Vec<u8>),
    TooLong,
    End,
}

/// Marks inside a quoted value are doubled, so an even number of them means that every one is closed.
fn is_closed(record: &[u8]) -> bool {
    record.split(|byte| *byte == b'"').count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(text: &str) -> Vec<(u64, Option<String>)> {
        let mut reader = RecordReader::new(text.as_bytes(), Quoting::Marks);
        let mut records = Vec::new();
        while let Some(record) = reader.next_record().unwrap() {
            records.push((record.line, record.bytes.map(|bytes| String::from_utf8(bytes).unwrap())));
        }
        records
    }

    #[test]
    fn a_value_may_run_over_lines() {
        let found = records("a,\"b\nc\",d\r\n\r\ne\n");

        assert_eq!(found, [(1, Some("a,\"b\nc\",d".to_owned())), (4, Some("e".to_owned()))]);
    }

    #[test]
    fn a_mark_that_is_never_closed_costs_its_own_line_only() {
        let found = records("a,\"b\nc\nd\n");

        assert_eq!(found, [(1, None), (2, Some("c".to_owned())), (3, Some("d".to_owned()))]);
    }

    #[test]
    fn a_line_without_an_end_takes_no_memory() {
        let text = format!("a\n{}\nb", "x".repeat(1 << 20));

        let found = records(&text);

        assert_eq!(found, [(1, Some("a".to_owned())), (2, None), (3, Some("b".to_owned()))]);
    }
}
