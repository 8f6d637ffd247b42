//! ARCHITECTURE.md's code map and the workspace must be the same list.
//!
//! The map is the section "Code map"; an entry is a list item or a table row that begins with a path in backticks and
//! goes on with what is there.

use super::{Finding, Tree};

const FILE: &str = "ARCHITECTURE.md";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(text) = tree.file(FILE) else {
        return vec![format!("{FILE} is missing")];
    };
    let members: Vec<&str> = tree.packages.iter().map(|package| package.folder.as_str()).collect();
    let exists = |path: &str| {
        let folder = format!("{path}/");
        tree.files.iter().any(|(file, _)| file == path || file.starts_with(&folder))
    };
    compare(text, &members, exists)
}

fn compare(text: &str, members: &[&str], exists: impl Fn(&str) -> bool) -> Vec<Finding> {
    let entries = entries(text);
    let mut findings = Vec::new();
    for member in members {
        match entries.iter().filter(|(path, _)| path == member).count() {
            0 => findings.push(format!("{FILE}: the code map leaves out `{member}`")),
            1 => {}
            _ => findings.push(format!("{FILE}: the code map lists `{member}` twice")),
        }
    }
    for (path, description) in &entries {
        if !exists(path) {
            findings.push(format!("{FILE}: the code map lists `{path}`, which is not there"));
        } else if path.starts_with("crates/")
            && path.matches('/').count() == 1
            && !members.contains(path)
        {
            findings.push(format!("{FILE}: `{path}` is not a member of the workspace"));
        }
        if !description.chars().any(char::is_alphabetic) {
            findings.push(format!("{FILE}: `{path}` has no line that says what it is"));
        }
    }
    findings
}

/// Path and description of every entry of the code map.
fn entries(text: &str) -> Vec<(&str, &str)> {
    let section = text
        .lines()
        .skip_while(|line| !(line.starts_with('#') && line.to_lowercase().contains("code map")))
        .skip(1)
        .take_while(|line| !line.starts_with("# ") && !line.starts_with("## "));
    let items = section.filter_map(|line| {
        let item = line.trim_start();
        let item = item.strip_prefix("- ").or_else(|| item.strip_prefix("| "))?;
        let (path, description) = item.trim_start().strip_prefix('`')?.split_once('`')?;
        Some((path.trim_end_matches('/'), description))
    });
    items.collect()
}

#[cfg(test)]
mod tests {
    use super::compare;

    const TEXT: &str = "\
# Architecture
- `elsewhere` is no entry

## Code map
- `crates/ws/` — the WebSocket
| `crates/old` | gone |
| `sim` | |

## Next
- `after` is no entry
";

    #[test]
    fn the_map_and_the_workspace_are_compared_both_ways() {
        let found =
            compare(TEXT, &["crates/ws", "crates/mbws", "sim"], |path| path != "crates/old");
        assert_eq!(
            found,
            [
                "ARCHITECTURE.md: the code map leaves out `crates/mbws`",
                "ARCHITECTURE.md: the code map lists `crates/old`, which is not there",
                "ARCHITECTURE.md: `sim` has no line that says what it is",
            ]
        );
    }
}
