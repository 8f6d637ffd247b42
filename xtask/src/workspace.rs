//! The workspace as cargo sees it.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// One member of the workspace.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// Folder relative to the root, with `/`.
    pub(crate) folder: String,
    /// Names of the normal dependencies that belong to this workspace.
    pub(crate) inward: Vec<String>,
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// The members of the workspace, from `cargo metadata`.
pub(crate) fn packages() -> Result<Vec<Package>, String> {
    let root = root();
    let text = cargo(&["metadata", "--format-version", "1", "--no-deps"])?;
    let metadata: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let packages = list(&metadata, "packages");
    let names: Vec<&str> = packages.iter().map(|package| word(package, "name")).collect();
    Ok(packages.iter().map(|package| read_package(package, &names, &root)).collect())
}

/// Names of all packages that `package` is built from with its default features.
pub(crate) fn built_from(package: &str) -> Result<Vec<String>, String> {
    let text = cargo(&["tree", "--package", package, "--edges", "normal", "--prefix", "none"])?;
    let names = text.lines().skip(1).filter_map(|line| line.split(' ').next());
    Ok(names.map(str::to_owned).collect())
}

/// The files that belong to the repository: tracked, or new and not ignored. Relative to the root.
pub(crate) fn files() -> Result<Vec<String>, String> {
    let args = ["ls-files", "--cached", "--others", "--exclude-standard"];
    let text = run(Command::new("git").args(args))?;
    let root = root();
    let mut files: Vec<String> = text.lines().map(str::to_owned).collect();
    files.retain(|file| root.join(file).is_file());
    files.sort();
    files.dedup();
    Ok(files)
}

/// A file of the repository as text; `None` if it is not UTF-8.
pub(crate) fn read(file: &str) -> Result<Option<String>, String> {
    let bytes = std::fs::read(root().join(file)).map_err(|error| format!("{file}: {error}"))?;
    Ok(String::from_utf8(bytes).ok())
}

fn read_package(package: &Value, members: &[&str], root: &Path) -> Package {
    let manifest = Path::new(word(package, "manifest_path"));
    let folder = manifest.parent().unwrap_or(manifest);
    let folder = folder.strip_prefix(root).unwrap_or(folder);
    let inward = list(package, "dependencies")
        .iter()
        .filter(|dependency| dependency["kind"].is_null())
        .map(|dependency| word(dependency, "name"))
        .filter(|name| members.contains(name))
        .map(str::to_owned)
        .collect();
    Package {
        name: word(package, "name").to_owned(),
        folder: folder.to_string_lossy().replace('\\', "/"),
        inward,
    }
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

fn word<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn cargo(args: &[&str]) -> Result<String, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    run(Command::new(cargo).args(args))
}

fn run(command: &mut Command) -> Result<String, String> {
    let output = command
        .current_dir(root())
        .output()
        .map_err(|error| format!("{}: {error}", command.get_program().to_string_lossy()))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}
