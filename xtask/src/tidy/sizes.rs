//! Files that can be read in one sitting, functions that fit a screen, and a ratchet for the exceptions.
//!
//! `xtask/ratchet.txt` lists what may be larger, each with its size. Growth fails; shrinking asks for a lower entry,
//! so that what was won is kept. An entry is `SIZE FILE` or `SIZE FILE FUNCTION`.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::{Finding, Tree};
use crate::source;

/// A sitting.
const FILE_LINES_MAX: usize = 600;
/// A screen.
const FUNCTION_LINES_MAX: usize = 70;
const RATCHET: &str = "xtask/ratchet.txt";
const GROWING_SHOWN: usize = 5;

/// Checks all sizes; also tells the largest files, as lines to print.
pub(super) fn check(tree: &Tree) -> (Vec<Finding>, Vec<String>) {
    let mut files = Vec::new();
    let mut large = BTreeMap::new();
    for (file, text) in tree.with_extension("rs").filter(|(file, _)| !source::is_test_file(file)) {
        let lines = source::without_tests(text);
        files.push((lines.len(), file));
        if lines.len() > FILE_LINES_MAX {
            large.insert(file.to_owned(), lines.len());
        }
        for function in source::functions(&lines) {
            if function.lines > FUNCTION_LINES_MAX {
                // Functions of one name in one file share an entry: the longest counts.
                let entry = large.entry(format!("{file} {}", function.name)).or_insert(0);
                *entry = function.lines.max(*entry);
            }
        }
    }
    files.sort_unstable_by_key(|(lines, file)| (Reverse(*lines), *file));
    let shown = files.iter().take(GROWING_SHOWN);
    let growing = shown.map(|(lines, file)| format!("{lines:>5} {file}")).collect();
    let allowed = tree.file(RATCHET).map(read_ratchet).unwrap_or_default();
    (compare(&large, &allowed), growing)
}

fn read_ratchet(text: &str) -> BTreeMap<String, usize> {
    let entries = text.lines().filter_map(|line| {
        let (size, what) = line.split_once(' ')?;
        Some((what.trim().to_owned(), size.parse().ok()?))
    });
    entries.collect()
}

fn compare(large: &BTreeMap<String, usize>, allowed: &BTreeMap<String, usize>) -> Vec<Finding> {
    let limit = |what: &str| {
        if what.contains(' ') { FUNCTION_LINES_MAX } else { FILE_LINES_MAX }
    };
    let grown = large.iter().filter_map(|(what, size)| match allowed.get(what) {
        None => Some(format!("{what}: {size} lines, limit {}", limit(what))),
        Some(before) if size > before => {
            Some(format!("{what}: grew from {before} to {size} lines"))
        }
        Some(before) if size < before => {
            Some(format!("{what}: down to {size} lines, lower its entry in {RATCHET}"))
        }
        Some(_) => None,
    });
    let gone = allowed.keys().filter(|what| !large.contains_key(*what));
    let gone = gone.map(|what| format!("{what}: within its limit, remove it from {RATCHET}"));
    grown.chain(gone).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(entries: &[(&str, usize)]) -> BTreeMap<String, usize> {
        entries.iter().map(|(what, size)| ((*what).to_owned(), *size)).collect()
    }

    #[test]
    fn the_ratchet_turns_one_way() {
        let allowed = read_ratchet("# a comment\n700 a.rs\n80 a.rs f\n90 b.rs g\n");
        assert!(
            compare(&sizes(&[("a.rs", 700), ("a.rs f", 80), ("b.rs g", 90)]), &allowed).is_empty()
        );
        let found = compare(&sizes(&[("a.rs", 701), ("a.rs f", 79), ("c.rs", 650)]), &allowed);
        assert_eq!(
            found,
            [
                "a.rs: grew from 700 to 701 lines",
                "a.rs f: down to 79 lines, lower its entry in xtask/ratchet.txt",
                "c.rs: 650 lines, limit 600",
                "b.rs g: within its limit, remove it from xtask/ratchet.txt",
            ]
        );
    }
}
