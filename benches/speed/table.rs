//! Figures beside their yardsticks, and small arithmetic on them.

use std::fmt;
use std::time::Duration;

const HEAD: [&str; 6] = ["what", "measured", "yardstick", "ratio", "target", "met"];

/// What a figure should be.
pub enum Target {
    AtLeast(f64),
    AtMost(f64),
    /// Shown for orientation.
    None,
}

impl Target {
    fn met(&self, figure: f64) -> &'static str {
        match *self {
            Self::AtLeast(least) if figure >= least => "yes",
            Self::AtMost(most) if figure <= most => "yes",
            Self::None => "",
            _ => "NO",
        }
    }
}

/// Rows of [`HEAD`], printed as a Markdown table.
pub struct Table {
    title: &'static str,
    rows: Vec<[String; 6]>,
}

impl Table {
    pub fn new(title: &'static str) -> Self {
        Self { title, rows: Vec::new() }
    }

    /// `judged` is held against the target, whose wording is `wanted`.
    pub fn row(
        &mut self,
        what: &str,
        measured: &str,
        yardstick: &str,
        ratio: Option<f64>,
        judged: (f64, Target, &str),
    ) {
        let (figure, target, wanted) = judged;
        let ratio = ratio.map_or(String::new(), |ratio| format!("{ratio:.2}"));
        let met = target.met(figure);
        self.rows.push([what, measured, yardstick, &ratio, wanted, met].map(str::to_owned));
    }

    /// A figure without a target.
    pub fn note(&mut self, what: &str, measured: &str, yardstick: &str, ratio: Option<f64>) {
        self.row(what, measured, yardstick, ratio, (0.0, Target::None, ""));
    }

    pub fn print(&self) {
        println!("\n{self}");
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = HEAD.map(str::to_owned);
        let lines = || std::iter::once(&head).chain(&self.rows);
        let widths: [usize; 6] =
            std::array::from_fn(|at| lines().map(|line| line[at].chars().count()).max().unwrap_or(0));
        writeln!(f, "{}\n", self.title)?;
        for (number, line) in lines().enumerate() {
            let cells = line.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
            writeln!(f, "| {} |", cells.collect::<Vec<_>>().join(" | "))?;
            if number == 0 {
                writeln!(f, "|{}|", widths.map(|width| "-".repeat(width + 2)).join("|"))?;
            }
        }
        Ok(())
    }
}

/// The middle one; of an even number, the larger of the two in the middle.
pub fn median<T: PartialOrd + Copy>(figures: impl IntoIterator<Item = T>) -> Option<T> {
    let mut figures: Vec<T> = figures.into_iter().collect();
    figures.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    figures.get(figures.len() / 2).copied()
}

pub fn per_second(number: f64, time: Duration) -> f64 {
    number / time.as_secs_f64()
}

pub fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

pub fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

pub fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
