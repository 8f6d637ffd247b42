//! Rust source as the checks see it: which lines are tests, where functions begin and end.
//!
//! No parser is needed: `cargo fmt` is enforced, so indentation tells the structure.

/// Folders whose files are tests or examples, wherever they stand.
const TEST_FOLDERS: [&str; 4] = ["tests", "benches", "examples", "fuzz"];

/// One function and its length.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    /// From the line with `fn` to the closing brace, both counted.
    pub(crate) lines: usize,
}

/// Whether the whole file is a test or an example.
pub(crate) fn is_test_file(path: &str) -> bool {
    let (folders, file) = path.rsplit_once('/').unwrap_or(("", path));
    folders.split('/').any(|folder| TEST_FOLDERS.contains(&folder))
        || file == "tests.rs"
        || file.contains(".test.")
        || file.contains(".spec.")
        || file.starts_with("test_")
}

/// The lines of a file, each with whether it stands in a `#[cfg(test)]` module.
pub(crate) fn lines(text: &str) -> Vec<(bool, &str)> {
    let mut inside = false;
    let mut announced = false;
    let mut marked = Vec::new();
    for line in text.lines() {
        announced |= line == "#[cfg(test)]";
        inside |= announced && line.ends_with('{');
        marked.push((inside || announced, line));
        if line == "}" {
            inside = false;
        }
        // Attributes may follow one another; anything else ends the announcement.
        announced &= line.starts_with("#[");
    }
    marked
}

/// The file without its test modules.
pub(crate) fn without_tests(text: &str) -> Vec<&str> {
    lines(text).into_iter().filter(|(test, _)| !test).map(|(_, line)| line).collect()
}

/// The functions with a body that takes more than one line.
pub(crate) fn functions(lines: &[&str]) -> Vec<Function> {
    let starts = lines.iter().enumerate().filter_map(|(start, line)| {
        let name = function_name(line)?;
        let length = function_length(&lines[start..])?;
        Some(Function { name: name.to_owned(), lines: length })
    });
    starts.collect()
}

fn function_name(line: &str) -> Option<&str> {
    const QUALIFIERS: [&str; 5] = ["pub", "const", "async", "unsafe", "extern"];
    let (before, after) = line.trim_start().split_once("fn ")?;
    let qualified = before.split_whitespace().all(|word| {
        let word = word.split('(').next().unwrap_or(word);
        QUALIFIERS.contains(&word) || word.starts_with('"')
    });
    let end = after.find(|c: char| !c.is_alphanumeric() && c != '_')?;
    (qualified && end > 0).then(|| &after[..end])
}

/// Lines up to the first that closes the function at its own indentation.
fn function_length(lines: &[&str]) -> Option<usize> {
    let first = lines.first()?;
    let indent = first.len() - first.trim_start().len();
    if first.ends_with('}') || first.ends_with(';') {
        return None;
    }
    for (offset, line) in lines.iter().enumerate().skip(1) {
        let Some(rest) = line.get(indent..) else {
            continue;
        };
        let same_level = line.len() - line.trim_start().len() == indent;
        if same_level && rest == "}" {
            return Some(offset + 1);
        }
        if same_level && rest.starts_with(')') && rest.ends_with(';') {
            return None;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
pub(crate) fn short() -> u8 { 1 }
pub fn long(
    a: u8,
) -> u8 {
    if a > 1 {
        2
    }
    else { 3 }
}
trait T {
    fn declared(
        a: u8,
    );
    async fn inner(&self) {
        x();
    }
}
#[cfg(test)]
#[allow(unused, reason = \"r\")]
mod tests {
    fn in_tests() {
        y();
    }
}
fn after() {
    z();
}
";

    #[test]
    fn test_modules_are_cut_out_and_what_follows_is_kept() {
        let kept = without_tests(FILE);
        assert!(kept.contains(&"fn after() {"));
        assert!(!kept.iter().any(|line| line.contains("in_tests")));
        assert!(!kept.contains(&"#[cfg(test)]"));
    }

    #[test]
    fn functions_are_measured_by_indentation() {
        let found = functions(&without_tests(FILE));
        let named = |name: &str, lines| Function { name: name.to_owned(), lines };
        assert_eq!(found, [named("long", 8), named("inner", 3), named("after", 3)]);
    }

    #[test]
    fn a_test_module_in_its_own_file_ends_at_its_line() {
        let kept = without_tests("#[cfg(test)]\nmod tests;\n\nfn f() {\n    g();\n}\n");
        assert_eq!(kept, ["", "fn f() {", "    g();", "}"]);
    }

    #[test]
    fn test_files_are_known_by_their_place() {
        assert!(is_test_file("crates/ws/tests/trace.rs"));
        assert!(is_test_file("crates/ws/src/recv/tests.rs"));
        assert!(!is_test_file("crates/ws/src/recv.rs"));
    }
}
