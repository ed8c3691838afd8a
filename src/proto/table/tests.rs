//! For the tests of the tables: the comparison with one that was written by hand, and the diagram.

use core::fmt::Debug;

use super::Table;

impl<S: Copy + Debug + PartialEq, G: Copy + Debug> Table<'_, S, G> {
    /// Compares each cell with `expected`: a line of signals, then a line for each state. How many cells there are.
    pub fn compare(&self, expected: &str) -> usize {
        let mut rows = expected.lines().filter(|line| !line.trim().is_empty());
        let head: Vec<&str> = rows.next().unwrap().split_whitespace().skip(1).collect();
        let signals: Vec<String> = self.signals.iter().map(name).collect();
        assert_eq!(head, signals);
        let mut cells = 0;
        for (state, row) in self.states.iter().zip(rows.by_ref()) {
            let row: Vec<&str> = row.split_whitespace().collect();
            assert_eq!(row[0], name(state));
            assert_eq!(row.len(), 1 + self.signals.len(), "{}", row[0]);
            for (signal, expected) in self.signals.iter().zip(&row[1..]) {
                let got = (self.next)(*state, *signal).map_or_else(|| "-".to_owned(), |next| name(&next));
                assert_eq!(got, *expected, "{state:?} and {signal:?}");
                cells += 1;
            }
        }
        assert_eq!(rows.next(), None);
        cells
    }

    /// The table as a Mermaid state diagram: one arrow for each pair of states, with all its signals.
    fn diagram(&self) -> String {
        let first = self.states.first().map(name).unwrap();
        let mut out = format!("stateDiagram-v2\n    [*] --> {first}\n");
        for from in self.states {
            for to in self.states {
                let leads_there = |signal: &&G| (self.next)(*from, **signal) == Some(*to);
                let labels = self.signals.iter().filter(leads_there).map(|signal| format!("{signal:?}"));
                let labels: Vec<String> = labels.collect();
                if !labels.is_empty() {
                    out += &format!("    {} --> {}: {}\n", name(from), name(to), labels.join(", "));
                }
            }
        }
        out
    }

    /// `path` holds the diagram of this table; with `UPDATE_DOCS` it is written.
    pub fn compare_diagram(&self, path: &str) {
        let path = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, self.diagram()).unwrap();
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(written == self.diagram(), "{path} is out of date: run this test with UPDATE_DOCS=1");
    }
}

fn name(of: &impl Debug) -> String {
    format!("{of:?}").to_lowercase()
}
