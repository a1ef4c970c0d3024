//! Whatever quotation marks stand in a file: every line with data is told of exactly once.

use proptest::{collection::vec, prelude::*, sample::select};

use super::*;

/// The column that may run over lines: 通信地址.
const ADDRESS: usize = 13;
const COLUMNS: usize = 18;

#[derive(Debug, Clone)]
enum Row {
    /// As it should be.
    Clean,
    /// With marks that nobody meant, each at a place of a column.
    Marks(Vec<(usize, Place)>),
    /// With a value over two lines, rightly in marks.
    TwoLines,
}

#[derive(Debug, Clone, Copy)]
enum Place {
    Before,
    Within,
    Behind,
    Instead,
    Around,
}

fn rows() -> impl Strategy<Value = Vec<(Row, &'static str)>> {
    let place = select(vec![Place::Before, Place::Within, Place::Behind, Place::Instead, Place::Around]);
    let row = prop_oneof![
        Just(Row::Clean),
        vec((0..COLUMNS, place), 1..4).prop_map(Row::Marks),
        Just(Row::TwoLines),
    ];
    vec((row, select(vec!["\n", "\r\n", "\r"])), 1..16)
}

fn written(row: &Row, slip_number: &str) -> String {
    let line = super::row(slip_number, "王小明");
    let mut values: Vec<String> = line.split(',').map(str::to_owned).collect();
    match row {
        Row::Clean => {}
        Row::TwoLines => values[ADDRESS] = "\"天津市河西区\n友谊路1号\"".to_owned(),
        Row::Marks(marks) => {
            for (column, place) in marks {
                let value = std::mem::take(&mut values[*column]);
                values[*column] = match place {
                    Place::Before => format!("\"{value}"),
                    Place::Within => format!("32\"{value}"),
                    Place::Behind => format!("{value}\""),
                    Place::Instead => "\"".to_owned(),
                    Place::Around => format!("\"{value}\""),
                };
            }
        }
    }
    values.join(",")
}

/// Every line of a file with what became of it.
fn parsed(text: String) -> Vec<ParsedLine> {
    let (sender, mut lines) = mpsc::channel(1000);
    let reader = Box::new(std::io::Cursor::new(text));
    parse_stream(reader, EntryFormat::Csv, &ColumnMapping::default(), &sender).unwrap();
    std::iter::from_fn(|| lines.try_recv().ok()).collect()
}

proptest! {
    #[test]
    fn every_row_is_told_of_once_and_the_good_ones_are_kept(rows in rows()) {
        let (mut text, mut line, mut starts) = (format!("{HEADERS}\n"), 2, Vec::new());
        for (number, (row, end)) in rows.iter().enumerate() {
            text.push_str(&written(row, &format!("S{number}")));
            text.push_str(end);
            starts.push(line);
            line += if matches!(row, Row::TwoLines) { 2 } else { 1 };
        }

        let told = parsed(text);

        prop_assert_eq!(told.iter().map(|line| line.line).collect::<Vec<_>>(), starts);
        for (number, ((row, _), line)) in rows.iter().zip(&told).enumerate() {
            if let Ok(entered) = &line.outcome {
                let slip_number = format!("S{number}");
                prop_assert_eq!(&entered.slip_number, &slip_number);
            } else {
                prop_assert!(matches!(row, Row::Marks(_)), "{:?}", line.outcome);
            }
        }
    }
}
