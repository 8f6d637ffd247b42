//! Names that say nothing: a crate or module so called collects whatever has no home.

use super::{Finding, Tree};

const EMPTY_NAMES: [&str; 8] =
    ["common", "core", "helper", "helpers", "types", "util", "utils", "misc"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let crates = tree.packages.iter().map(|package| package.name.as_str());
    let crates = crates.filter(|name| is_empty_name(name.rsplit('-').next().unwrap_or(name)));
    let crates = crates.map(|name| format!("crate {name}: name it by its role"));
    let modules =
        tree.with_extension("rs").map(|(file, _)| file).filter(|file| is_empty_module(file));
    let modules = modules.map(|file| format!("module {file}: name it by what it holds"));
    crates.chain(modules).collect()
}

fn is_empty_name(name: &str) -> bool {
    EMPTY_NAMES.contains(&name)
}

fn is_empty_module(file: &str) -> bool {
    let stem = file.strip_suffix(".rs").unwrap_or(file);
    stem.split('/').any(is_empty_name)
}

#[cfg(test)]
mod tests {
    use super::is_empty_module;

    #[test]
    fn files_and_folders_are_looked_at_but_not_parts_of_words() {
        assert!(is_empty_module("crates/ws/src/utils.rs"));
        assert!(is_empty_module("crates/ws/tests/common/mod.rs"));
        assert!(!is_empty_module("crates/ws/src/core_frames.rs"));
    }
}
