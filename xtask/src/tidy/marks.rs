//! Marks that do not belong in a tree: unfinished work, tabs, white space at line ends.

use super::{Finding, Tree};

const EXTENSIONS: [&str; 14] = [
    "rs", "toml", "md", "ts", "tsx", "mjs", "js", "css", "html", "py", "sh", "yml", "yaml", "json",
];

/// Written in two pieces, so that this file does not hold what it looks for.
const UNFINISHED: [&str; 2] = [concat!("TO", "DO"), concat!("FIX", "ME")];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for extension in EXTENSIONS {
        for (file, text) in tree.with_extension(extension) {
            for (number, line) in text.lines().enumerate() {
                let fault = fault(line);
                findings.extend(fault.map(|what| format!("{file}:{}: {what}", number + 1)));
            }
            if !text.is_empty() && !text.ends_with('\n') {
                findings.push(format!("{file}: no line feed at the end"));
            }
        }
    }
    findings
}

fn fault(line: &str) -> Option<&'static str> {
    if line.ends_with([' ', '\t', '\r']) {
        Some("white space at the end of the line")
    } else if line.contains('\t') {
        Some("tab")
    } else if words(line).any(|word| UNFINISHED.contains(&word)) {
        Some("unfinished work belongs in an issue")
    } else {
        None
    }
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_alphanumeric() && c != '_')
}

#[cfg(test)]
mod tests {
    use super::{UNFINISHED, fault};

    #[test]
    fn lines_are_judged_by_what_they_hold() {
        assert_eq!(fault("let x = 1;"), None);
        assert!(fault("let x = 1; ").is_some());
        assert!(fault("\tlet x = 1;").is_some());
        assert!(fault(&format!("// {}: later", UNFINISHED[0])).is_some());
        assert_eq!(fault(&format!("{}S is another word", UNFINISHED[0])), None);
    }
}
