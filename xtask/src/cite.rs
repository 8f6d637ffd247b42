//! `cargo xtask cite`: which requirements are cited beside the code that enforces them and in a test that proves them.
//!
//! A citation is the id of a requirement, as listed in `xtask/requirements.txt`, anywhere in a source file.

use std::collections::{BTreeMap, BTreeSet};

use crate::{source, workspace};

const REQUIREMENTS: &str = "xtask/requirements.txt";
const EXCUSED: &str = "xtask/uncited.txt";
const COMPLETE: &str = "xtask/groups-complete.txt";
const EXTENSIONS: [&str; 4] = [".rs", ".ts", ".mjs", ".py"];
/// Folders outside the crates that hold nothing but tests.
const TEST_ROOTS: [&str; 2] = ["sim/", "conformance/"];

/// One line of the list.
#[derive(Debug)]
struct Requirement {
    id: String,
    must: bool,
    title: String,
}

/// Where each id is cited.
#[derive(Debug, Default)]
struct Citations {
    code: BTreeSet<String>,
    tests: BTreeSet<String>,
    /// Look like ids of a known group but are in no list, with the file.
    unknown: BTreeSet<(String, String)>,
}

/// Prints one group, or all; false when a complete group has an uncited MUST or a citation names nothing.
pub(crate) fn run(group: Option<&str>) -> Result<bool, String> {
    let requirements = read_requirements(&read(REQUIREMENTS)?)?;
    let excused = read_reasons(&read(EXCUSED)?)?;
    let complete = read(COMPLETE)?;
    let complete: Vec<&str> = entries(&complete).collect();
    let citations = collect(&requirements)?;

    let mut sound = true;
    for (name, members) in by_group(&requirements) {
        if group.is_some_and(|wanted| wanted != name) {
            continue;
        }
        let uncited = report(name, &members, &citations, &excused, group.is_some());
        sound &= uncited == 0 || !complete.contains(&name);
    }
    for (id, file) in &citations.unknown {
        println!("{file} cites {id}, which is in no list");
    }
    let known = |id: &str| requirements.iter().any(|requirement| requirement.id == id);
    for id in excused.keys().filter(|id| !known(id)) {
        println!("{EXCUSED} names {id}, which is in no list");
        sound = false;
    }
    Ok(sound && citations.unknown.is_empty())
}

/// Prints one group and returns how many of its MUSTs are cited nowhere and not excused.
fn report(
    name: &str,
    members: &[&Requirement],
    citations: &Citations,
    excused: &BTreeMap<String, String>,
    explain: bool,
) -> usize {
    let musts: Vec<&&Requirement> = members.iter().filter(|member| member.must).collect();
    let count = |set: &BTreeSet<String>| musts.iter().filter(|m| set.contains(&m.id)).count();
    let (mut uncited, mut untested, mut excuses) = (Vec::new(), Vec::new(), Vec::new());
    for must in &musts {
        match (citations.code.contains(&must.id), citations.tests.contains(&must.id)) {
            (_, true) => {}
            (true, false) => untested.push(must),
            (false, false) => match excused.get(&must.id) {
                Some(reason) => excuses.push((must, reason)),
                None => uncited.push(must),
            },
        }
    }
    println!(
        "{name:<5} {:>3} MUST  {:>3} in code  {:>3} in tests  {:>3} excused  {:>3} uncited",
        musts.len(),
        count(&citations.code),
        count(&citations.tests),
        excuses.len(),
        uncited.len(),
    );
    for must in &uncited {
        println!("    uncited   {:<10} {}", must.id, must.title);
    }
    if explain {
        for must in untested {
            println!("    untested  {:<10} {}", must.id, must.title);
        }
        for (must, reason) in excuses {
            println!("    excused   {:<10} {reason}", must.id);
        }
    }
    uncited.len()
}

fn by_group(requirements: &[Requirement]) -> BTreeMap<&str, Vec<&Requirement>> {
    let mut groups: BTreeMap<&str, Vec<&Requirement>> = BTreeMap::new();
    for requirement in requirements {
        groups.entry(group_of(&requirement.id)).or_default().push(requirement);
    }
    groups
}

fn group_of(id: &str) -> &str {
    id.split('-').next().unwrap_or(id)
}

fn collect(requirements: &[Requirement]) -> Result<Citations, String> {
    let ids: BTreeSet<&str> = requirements.iter().map(|r| r.id.as_str()).collect();
    let groups: BTreeSet<&str> = ids.iter().map(|id| group_of(id)).collect();
    let mut citations = Citations::default();
    for file in workspace::files()? {
        // This command's own sources and tests speak of ids without citing them.
        let is_source = EXTENSIONS.iter().any(|extension| file.ends_with(extension));
        if !is_source || file.starts_with("xtask/") {
            continue;
        }
        let Some(text) = workspace::read(&file)? else {
            continue;
        };
        let all_tests =
            source::is_test_file(&file) || TEST_ROOTS.iter().any(|root| file.starts_with(root));
        for (in_tests, line) in source::lines(&text) {
            for id in candidates(line).filter(|id| groups.contains(group_of(id))) {
                if !ids.contains(id) {
                    citations.unknown.insert((id.to_owned(), file.clone()));
                } else if all_tests || in_tests {
                    citations.tests.insert(id.to_owned());
                } else {
                    citations.code.insert(id.to_owned());
                }
            }
        }
    }
    Ok(citations)
}

/// The words of a line that have the form of an id: `GROUP-12`, `GROUP-FR-04`, `GROUP-A01`.
fn candidates(line: &str) -> impl Iterator<Item = &str> {
    let part_of_id = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-';
    let words = line.split(move |c: char| !part_of_id(c)).map(|word| word.trim_end_matches('-'));
    words.filter(|word| {
        let number = word.rsplit('-').next().unwrap_or_default();
        let digits = number.strip_prefix('A').unwrap_or(number);
        (2..=3).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
    })
}

fn read_requirements(text: &str) -> Result<Vec<Requirement>, String> {
    let lines = entries(text).map(|line| {
        let mut fields = line.split(" | ");
        let (Some(id), Some(level), Some(_role), Some(title)) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            return Err(format!("{REQUIREMENTS}: not four fields: {line}"));
        };
        let (id, title) = (id.to_owned(), title.to_owned());
        Ok(Requirement { id, must: level.starts_with("MUST"), title })
    });
    lines.collect()
}

/// Lines of the form `ID reason`.
fn read_reasons(text: &str) -> Result<BTreeMap<String, String>, String> {
    let lines = entries(text).map(|line| {
        let (id, reason) = line.split_once(' ').ok_or(format!("{EXCUSED}: no reason: {line}"))?;
        Ok((id.to_owned(), reason.trim().to_owned()))
    });
    lines.collect()
}

fn entries(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn read(file: &str) -> Result<String, String> {
    workspace::read(file)?.ok_or_else(|| format!("{file}: not text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_in_prose_and_nothing_else_is() {
        let line = "// WS-FR-04, WS-A07: minimal (HYBI-047); see RFC-6455, MBWS-A01. UTF-8 X-1 WS-";
        let found: Vec<&str> = candidates(line).collect();
        assert_eq!(found, ["WS-FR-04", "WS-A07", "HYBI-047", "MBWS-A01"]);
    }

    #[test]
    fn only_musts_are_demanded() {
        let list =
            "# note\n\nX-01 | MUST* | both | a\nX-02 | SHOULD | both | b\nX-A01 | - | both | c\n";
        let read = read_requirements(list).unwrap();
        let musts: Vec<bool> = read.iter().map(|requirement| requirement.must).collect();
        assert_eq!(musts, [true, false, false]);
        assert_eq!(by_group(&read).len(), 1);
    }

    #[test]
    fn an_excuse_without_a_reason_is_refused() {
        assert!(read_reasons("WS-H2-01\n").is_err());
        assert_eq!(read_reasons("WS-H2-01 comes later\n").unwrap()["WS-H2-01"], "comes later");
    }
}
