//! Quotation marks of CSV: where a value is quoted, where it ends, and where the marks make no sense.

/// How far a record has been followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quotation {
    place: Place,
    values: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Where a value begins: only here a mark opens one.
    Beginning,
    /// In a value without marks; one inside it is a character like any other.
    Bare,
    /// Between the marks of a value, where delimiters and ends of lines are part of it.
    Quoted,
    /// Behind a mark in a quoted value: the end of it, or the first of two that stand for one.
    Mark,
}

/// Something stands behind the mark that ends a value: nobody can say what the value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Misplaced;

impl Default for Quotation {
    fn default() -> Self {
        Self { place: Place::Beginning, values: 1 }
    }
}

impl Quotation {
    /// Follows the record over its next line.
    pub(super) fn pass(&mut self, line: &[u8], delimiters: &[u8]) -> Result<(), Misplaced> {
        for byte in line {
            let is_delimiter = delimiters.contains(byte);
            self.place = match (self.place, byte) {
                (Place::Quoted, b'"') => Place::Mark,
                (Place::Quoted, _) | (Place::Mark | Place::Beginning, b'"') => Place::Quoted,
                (_, _) if is_delimiter => {
                    self.values += 1;
                    Place::Beginning
                }
                (Place::Mark, _) => return Err(Misplaced),
                (Place::Beginning | Place::Bare, _) => Place::Bare,
            };
        }
        Ok(())
    }

    /// Whether the record may end here.
    pub(super) fn is_closed(&self) -> bool {
        self.place != Place::Quoted
    }

    /// Values so far, with the one that is open.
    pub(super) const fn values(&self) -> usize {
        self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Result<(bool, usize), Misplaced>) {
        let mut quotation = Quotation::default();
        let passed = quotation.pass(line.as_bytes(), b",");
        assert_eq!(passed.map(|()| (quotation.is_closed(), quotation.values())), expected, "{line}");
    }

    #[test]
    fn marks_count_where_a_value_begins() {
        check("a,b", Ok((true, 2)));
        check("a\"b,c\"", Ok((true, 2)));
        check("\"a,b\",c", Ok((true, 2)));
        check("\"a\"\"b\",\"\"", Ok((true, 2)));
        check("a,\"b", Ok((false, 2)));
        check("a,\"\"\"b,c", Ok((false, 2)));
        check("a,\"b\"c", Err(Misplaced));
    }
}
