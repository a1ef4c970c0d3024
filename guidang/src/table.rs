//! Plain tables for a terminal: columns as wide as their widest cell, wide characters counted as two.

use unicode_width::UnicodeWidthStr;

/// Rows under a head.
#[derive(Debug)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these heads.
    pub fn new(head: &[&str]) -> Self {
        Self { rows: vec![head.iter().map(|&cell| cell.to_owned()).collect()] }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().map(|cell| one_line(&cell)).collect());
    }

    /// Whether no row was added.
    pub fn is_empty(&self) -> bool {
        self.rows.len() == 1
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widest =
            |column: usize| self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max();
        let widths: Vec<usize> = (0..columns).map(|column| widest(column).unwrap_or(0)).collect();
        for (number, row) in self.rows.iter().enumerate() {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                line.push_str(cell);
                line.extend(std::iter::repeat_n(' ', width - cell.width() + 2));
            }
            writeln!(f, "{}", line.trim_end())?;
            if number == 0 {
                let rule: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
                writeln!(f, "{}", rule.join("  "))?;
            }
        }
        Ok(())
    }
}

/// A cell never breaks its row, nor says anything to the terminal.
fn one_line(cell: &str) -> String {
    cell.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_cells_keep_the_columns_straight() {
        let mut table = Table::new(&["name", "state"]);

        table.row(["张**".to_owned(), "checked".to_owned()]);

        assert_eq!(table.to_string(), "name  state\n────  ───────\n张**  checked\n");
    }

    #[test]
    fn a_cell_cannot_command_the_terminal() {
        let mut table = Table::new(&["a"]);

        table.row(["x\u{1b}[2Jy\nz".to_owned()]);

        assert!(!table.to_string().contains('\u{1b}'));
        assert_eq!(table.to_string().lines().count(), 3);
    }
}
