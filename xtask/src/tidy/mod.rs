//! `cargo xtask tidy`: the rules of the tree, each in its own file.

mod edges;
mod manifests;
mod map;
mod marks;
mod names;
mod sizes;

use crate::workspace::{self, Package};

/// One broken rule, as a line to print.
type Finding = String;

/// What every check looks at.
struct Tree {
    packages: Vec<Package>,
    /// Path and text of every text file of the repository.
    files: Vec<(String, String)>,
}

impl Tree {
    fn read() -> Result<Self, String> {
        let mut files = Vec::new();
        for file in workspace::files()? {
            if let Some(text) = workspace::read(&file)? {
                files.push((file, text));
            }
        }
        Ok(Self { packages: workspace::packages()?, files })
    }

    fn file(&self, path: &str) -> Option<&str> {
        self.files.iter().find(|(file, _)| file == path).map(|(_, text)| text.as_str())
    }

    fn with_extension<'a>(
        &'a self,
        extension: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let wanted = move |file: &str| file.rsplit_once('.').is_some_and(|(_, e)| e == extension);
        self.files
            .iter()
            .filter(move |(file, _)| wanted(file))
            .map(|(file, text)| (file.as_str(), text.as_str()))
    }
}

/// Runs every check and prints what it found; false when a rule is broken.
pub(crate) fn run() -> Result<bool, String> {
    let tree = Tree::read()?;
    let (sizes, growing) = sizes::check(&tree);
    let checks: [(&str, Vec<Finding>); 6] = [
        ("dependency edges", edges::check(&tree)?),
        ("names", names::check(&tree)),
        ("code map", map::check(&tree)),
        ("manifests", manifests::check(&tree)),
        ("marks", marks::check(&tree)),
        ("sizes", sizes),
    ];
    for (name, findings) in &checks {
        let verdict = if findings.is_empty() { "ok" } else { "BROKEN" };
        println!("{name:<18} {verdict}");
        for finding in findings {
            println!("    {finding}");
        }
    }
    println!("what grows");
    for line in growing {
        println!("    {line}");
    }
    Ok(checks.iter().all(|(_, findings)| findings.is_empty()))
}
