//! Lists the documentation, which the binary brings along: a table of paths and texts.
#![allow(clippy::disallowed_methods, reason = "a build reads and writes files")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Folders of `docs`, in the order in which they are shown.
const FOLDERS: [&str; 7] =
    ["", "guides", "protocols", "operations", "reference", "design", "decisions"];

fn main() -> io::Result<()> {
    let root = Path::new("../../docs").canonicalize()?;
    let mut table = String::from("const PAGES: &[(&str, &str)] = &[\n");
    for folder in FOLDERS {
        let within = root.join(folder);
        println!("cargo::rerun-if-changed={}", within.display());
        let mut files: Vec<PathBuf> = fs::read_dir(&within)?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|it| it == "md"))
            .collect();
        // What a folder says of itself comes first.
        files.sort_by_key(|path| (!path.ends_with("README.md"), path.clone()));
        for file in files {
            let name = file.strip_prefix(&root).map_err(io::Error::other)?.display();
            let _ = writeln!(table, "    ({:?}, include_str!({file:?})),", name.to_string());
        }
    }
    table += "];\n";
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("no OUT_DIR"))?;
    fs::write(Path::new(&out).join("docs.rs"), table)
}
