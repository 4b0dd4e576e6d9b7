//! Columns of text.

use std::fmt;

/// Rows of cells, printed in columns as wide as their widest cell.
#[derive(Clone, Debug)]
pub struct Table {
    heads: Vec<&'static str>,
    right: Vec<bool>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A column's head that starts with `>` is aligned to the right.
    #[must_use]
    pub fn new(heads: &[&'static str]) -> Self {
        Self {
            right: heads.iter().map(|h| h.starts_with('>')).collect(),
            heads: heads.iter().map(|h| h.trim_start_matches('>')).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; cells beyond the heads are dropped, missing ones are empty.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        let mut cells: Vec<String> = cells.into();
        cells.resize(self.heads.len(), String::new());
        self.rows.push(cells);
    }

    /// Has it no rows?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |column: usize, head: &str| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|c| c.chars().count()).max().unwrap_or(0).max(head.chars().count())
        };
        let widths: Vec<usize> = self.heads.iter().enumerate().map(|(i, h)| width(i, h)).collect();
        let line = |f: &mut fmt::Formatter<'_>, cells: &mut dyn Iterator<Item = &str>| {
            let mut text = String::new();
            for ((cell, width), right) in cells.zip(&widths).zip(&self.right) {
                let gap = if text.is_empty() { "" } else { "  " };
                text += &if *right { format!("{gap}{cell:>width$}") } else { format!("{gap}{cell:<width$}") };
            }
            writeln!(f, "{}", text.trim_end())
        };
        line(f, &mut self.heads.iter().copied())?;
        self.rows.iter().try_for_each(|row| line(f, &mut row.iter().map(String::as_str)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut table = Table::new(&["name", ">bytes", "cause"]);
        table.row(["a".into(), "12".into(), String::new()]);
        table.row(["longer".into(), "3".into(), "camera".into()]);
        assert_eq!(table.to_string(), "name    bytes  cause\na          12\nlonger      3  camera\n");
    }
}
