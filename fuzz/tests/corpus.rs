//! Every target over the inputs in `seeds/`, and over short inputs made from them: what libFuzzer
//! does, but without it.
#![allow(clippy::disallowed_methods, reason = "the inputs are files")]

use std::path::{Path, PathBuf};
use wharf_fuzz::TARGETS;

fn seeds(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    let entries = std::fs::read_dir(&directory).unwrap_or_else(|e| panic!("{directory:?}: {e}"));
    let mut seeds: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .map(|path| (path.clone(), std::fs::read(path).expect("a seed")))
        .collect();
    seeds.sort();
    seeds
}

#[test]
fn every_seed_passes() {
    for (name, run) in TARGETS {
        let seeds = seeds(name);
        assert!(!seeds.is_empty(), "{name} has no seeds");
        for (path, data) in seeds {
            println!("{}", path.display());
            run(&data);
        }
    }
}

#[test]
fn nothing_is_an_input() {
    for (_, run) in TARGETS {
        run(&[]);
    }
}

/// Every seed cut off at some places, and with some bytes changed.
#[test]
fn spoilt_seeds_pass() {
    for (name, run) in TARGETS {
        // A history takes long, and every seed of it is as good as another.
        let most = if name == "sim_world" { 2 } else { 24 };
        for (_, data) in seeds(name) {
            let step = (data.len() / most).max(1);
            for at in (0..data.len()).step_by(step) {
                run(&data[..at]);
                let mut spoilt = data.clone();
                spoilt[at] ^= 1 << (at % 8);
                run(&spoilt);
            }
        }
    }
}
