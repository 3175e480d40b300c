//! Tests of reading CSV text.

use super::*;
use proptest::prelude::*;

fn table(bytes: &[u8]) -> Result<CsvTable, String> {
    let source = Source::decode("t.csv".into(), bytes.to_vec()).map_err(|fault| fault.render(false))?;
    CsvTable::new(source).map_err(|fault| fault.render(false))
}

fn rows(bytes: &[u8]) -> Result<Vec<(u32, Vec<String>)>, String> {
    let table = table(bytes)?;
    let (mut rows, mut record, mut all) = (table.rows(), StringRecord::new(), Vec::new());
    while let Some(at) = rows.read(&mut record).map_err(|fault| fault.render(false))? {
        all.push((at.line, record.iter().map(str::to_owned).collect()));
    }
    Ok(all)
}

fn lines(bytes: &[u8]) -> Vec<u32> {
    rows(bytes).unwrap().into_iter().map(|(line, _)| line).collect()
}

#[test]
fn lines_are_physical_ones_whatever_ends_them() {
    assert_eq!(lines(b"a,b\n1,2\n\n3,4\n"), [1, 2, 4]);
    assert_eq!(lines(b"a,b\r\n1,2\r\n\r\n3,4\r\n"), [1, 2, 4]);
    assert_eq!(lines(b"a,b\r1,2\r3,4"), [1, 2, 3]);
    assert_eq!(lines(b"a,b\r\n\"1\r\n2\",3\r\n4,5"), [1, 2, 4]);
    assert_eq!(lines(b"sep=;\r\n#TYPE X\r\na;b\r\n;\r\n1;2\r\n"), [3, 5]);
}

#[test]
fn the_dialect_shows_in_the_header_or_is_announced() {
    let format = |bytes: &[u8]| table(bytes).unwrap().format();
    assert_eq!(format(b"a;b;c,d\n"), "CSV, UTF-8, separated by ;");
    assert_eq!(format(b"\"a;b;c\",d\n"), "CSV, UTF-8, separated by ,");
    assert_eq!(format(b"a\tb\n"), "CSV, UTF-8, separated by tab");
    assert_eq!(format(b"\"sep=;\"\na,b,c\n"), "CSV, UTF-8, separated by ;");
    assert_eq!(format(b"\xff\xfea\0,\0b\0"), "CSV, UTF-16LE, separated by ,");
    assert_eq!(format(b"\xef\xbb\xbfa,b"), "CSV, UTF-8, separated by ,");
    assert!(table(b"sep=|\na|b\n").unwrap_err().contains("separator is not supported"));
    for nothing in [&b""[..], b"\n\n", b"  ", b"sep=;\n", b"#TYPE x"] {
        assert!(table(nothing).unwrap_err().contains("empty-file"), "{nothing:?}");
    }
}

#[test]
fn a_quotation_mark_that_is_never_closed_does_not_swallow_rows_silently() {
    let fault = rows(b"a,b\n1,\"2\n3,4\n5,6\n").unwrap_err();
    assert!(fault.contains("row 2: this quotation mark is not closed"), "{fault}");
    assert!(fault.contains("t.csv:2:3"), "{fault}");
}

#[test]
fn bytes_that_make_no_text_are_refused_with_their_line() {
    let fault = table(b"a,b\n1,\xff\n").unwrap_err();
    assert!(fault.contains("bad-encoding") && fault.contains("line 2 is not valid UTF-8"), "{fault}");
    assert!(table(b"\xff\xfea\0,").unwrap_err().contains("UTF-16LE"));
}

#[test]
fn a_cell_is_found_again_in_its_row() {
    let bytes = "a;b;c\r\n1;\"x;\r\ny\";  späte \r\n".as_bytes();
    let table = table(bytes).unwrap();
    let (mut rows, mut record) = (table.rows(), StringRecord::new());
    rows.read(&mut record).unwrap();
    let at = rows.read(&mut record).unwrap().unwrap();
    let cell = |index| table.cell(at, index, "n");
    assert_eq!((cell(0).line, cell(0).column), (Some(2), Some(1)));
    assert_eq!((cell(1).line, cell(1).column), (Some(2), Some(3)));
    assert_eq!((cell(2).line, cell(2).column), (Some(3), Some(6)));
    let excerpt = cell(2).excerpt.unwrap();
    assert_eq!(&excerpt.text[excerpt.mark], "späte");
}

fn quoted(cell: &str, separator: char) -> String {
    if cell.contains([separator, '"', '\r', '\n']) || cell.is_empty() {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

fn encoded(text: &str, encoding: u8) -> Vec<u8> {
    match encoding {
        0 => text.as_bytes().to_vec(),
        1 => [&b"\xef\xbb\xbf"[..], text.as_bytes()].concat(),
        2 => [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect(),
        _ => [0xfe, 0xff].into_iter().chain(text.encode_utf16().flat_map(u16::to_be_bytes)).collect(),
    }
}

proptest! {
    #[test]
    fn any_table_in_any_dialect_reads_back_with_its_lines(
        cells in prop::collection::vec(prop::collection::vec("[a-z ,;\t\"é𝄞\r\n]{0,8}", 3), 0..8),
        separator in prop::sample::select(vec![',', ';', '\t']),
        line_end in prop::sample::select(vec!["\n", "\r\n"]),
        encoding in 0_u8..4,
        announced in any::<bool>(),
    ) {
        let mut text = String::new();
        if announced {
            text = format!("sep={separator}{line_end}");
        }
        text += &["x", "y", "z"].join(&separator.to_string());
        text += line_end;
        let mut expected = Vec::new();
        for row in &cells {
            let returns = text.replace("\r\n", "\n").matches(['\n', '\r']).count();
            if row.iter().any(|cell| !cell.trim().is_empty()) {
                expected.push((u32::try_from(returns).unwrap() + 1, row.clone()));
            }
            let row: Vec<_> = row.iter().map(|cell| quoted(cell, separator)).collect();
            text += &row.join(&separator.to_string());
            text += line_end;
        }
        let read = rows(&encoded(&text, encoding)).map_err(TestCaseError::fail)?;
        prop_assert_eq!(&read[1..], &expected[..]);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(prop::sample::select(b"a,;\t\"\r\n =#sep\xff\xfe\0".to_vec()), 0..60)) {
        if let Ok(table) = table(&bytes) {
            let (mut rows, mut record) = (table.rows(), StringRecord::new());
            while let Ok(Some(at)) = rows.read(&mut record) {
                table.row(at);
                for index in 0..=record.len() {
                    table.cell(at, index, "");
                }
            }
        }
    }
}
