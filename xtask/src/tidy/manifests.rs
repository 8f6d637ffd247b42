//! Every outside dependency says why it is there, in a comment beside it, or above it or its unbroken run of lines.
//!
//! Dependencies on members are explained by the edges, inherited ones (`x.workspace = true`) in the root manifest.

use super::{Finding, Tree};

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let manifests =
        tree.files.iter().filter(|(file, _)| file.rsplit('/').next() == Some("Cargo.toml"));
    manifests
        .flat_map(|(file, text)| {
            let silent = unexplained(text);
            silent.into_iter().map(move |name| format!("{file}: say why `{name}` is there"))
        })
        .collect()
}

/// Names of the dependencies without a comment.
fn unexplained(manifest: &str) -> Vec<String> {
    let mut in_dependencies = false;
    let mut explained_above = false;
    let mut open_brackets = 0;
    let mut found = Vec::new();
    for line in manifest.lines() {
        let inside_value = open_brackets > 0;
        if !line.trim_start().starts_with('#') {
            open_brackets += count(line, &['[', '{']) - count(line, &[']', '}']);
        }
        if inside_value {
            continue;
        }
        explained_above = line.starts_with('#') || (explained_above && !line.is_empty());
        let explained = explained_above || line.contains(" # ");
        if let Some(header) = line.strip_prefix('[') {
            let header = header.split(']').next().unwrap_or(header);
            in_dependencies = header.ends_with("dependencies");
            if let Some((_, name)) = header.split_once("dependencies.").filter(|_| !explained) {
                found.push(name.to_owned());
            }
        } else if in_dependencies && !explained {
            found.extend(outside_dependency(line).map(str::to_owned));
        }
    }
    found
}

/// The name of the dependency a line declares, unless it needs no comment.
fn outside_dependency(line: &str) -> Option<&str> {
    let (key, value) = line.split_once('=').filter(|_| !line.starts_with('#'))?;
    let key = key.trim();
    let inherited = key.ends_with(".workspace") || value.contains("workspace = true");
    let ours = value.contains("path = ");
    (!inherited && !ours).then_some(key)
}

fn count(line: &str, brackets: &[char]) -> i32 {
    let code = line.split(" # ").next().unwrap_or(line);
    code.chars().map(|c| i32::from(brackets.contains(&c))).sum()
}

#[cfg(test)]
mod tests {
    use super::unexplained;

    #[test]
    fn only_outside_dependencies_need_a_reason() {
        let manifest = "\
[package]
name = \"x\"

[dependencies]
wharf-ws.workspace = true
bytes = { workspace = true }
# SHA-1 of the handshake.
sha1 = \"0.11\"
digest = \"0.11\"

base64 = \"0.22\" # the Accept value
silent = \"1\"
long = { version = \"1\", features = [
    \"a\",
] }

[dev-dependencies.other]
version = \"1\"
";
        assert_eq!(unexplained(manifest), ["silent", "long", "other"]);
    }
}
