//! Who may depend on whom. A crate exists only where an edge must be impossible, so this table is the architecture.

use super::{Finding, Tree};
use crate::workspace::{self, Package};

/// Sans-IO engines, and which other members each may use.
const ENGINES: [(&str, &[&str]); 8] = [
    ("wharf-ws", &[]),
    ("wharf-sasl", &[]),
    ("wharf-amqp", &["wharf-sasl"]),
    ("wharf-xmpp", &["wharf-sasl"]),
    ("wharf-mbws", &[]),
    ("wharf-broker", &[]),
    ("wharf-chat", &["wharf-broker", "wharf-xmpp"]),
    (
        "wharf-gateway",
        &[
            "wharf-ws",
            "wharf-sasl",
            "wharf-amqp",
            "wharf-xmpp",
            "wharf-mbws",
            "wharf-broker",
            "wharf-chat",
        ],
    ),
];

/// The crates that touch the world, and what is built around them.
const ADAPTERS: [(&str, &[&str]); 7] = [
    ("wharf-store", &["wharf-broker"]),
    ("wharf-jetstream", &["wharf-broker"]),
    ("wharf-api", &[]),
    ("wharf-client", &["wharf-ws", "wharf-sasl", "wharf-amqp", "wharf-xmpp", "wharf-mbws"]),
    (
        "wharf-server",
        // It drives the shard and begins the WebSocket: docs/decisions/0008. It keeps the users:
        // docs/decisions/0009.
        &[
            "wharf-gateway",
            "wharf-broker",
            "wharf-chat",
            "wharf-ws",
            "wharf-sasl",
            "wharf-store",
            "wharf-jetstream",
            "wharf-api",
            "wharf-client",
        ],
    ),
    (
        "wharf-sim",
        &[
            "wharf-gateway",
            "wharf-broker",
            "wharf-chat",
            "wharf-store",
            "wharf-ws",
            "wharf-sasl",
            "wharf-amqp",
            "wharf-xmpp",
            "wharf-mbws",
        ],
    ),
    ("xtask", &[]),
];

/// What no engine is built from: runtimes, sockets, threads, clocks, and serde.
const WORLDLY: [&str; 26] = [
    "async-io",
    "async-std",
    "chrono",
    "crossbeam-channel",
    "getrandom",
    "hyper",
    "jiff",
    "mio",
    "monoio",
    "native-tls",
    "nix",
    "parking_lot",
    "polling",
    "quinn",
    "rayon",
    "reqwest",
    "rustix",
    "rustls",
    "serde",
    "serde_core",
    "serde_json",
    "smol",
    "socket2",
    "time",
    "tokio",
    "tokio-util",
];

pub(super) fn check(tree: &Tree) -> Result<Vec<Finding>, String> {
    let mut findings: Vec<Finding> = tree.packages.iter().flat_map(inward).collect();
    for package in tree.packages.iter().filter(|package| is_engine(&package.name)) {
        let parts = workspace::built_from(&package.name)?;
        findings.extend(worldly(&package.name, &parts));
    }
    Ok(findings)
}

fn inward(package: &Package) -> Vec<Finding> {
    let name = &package.name;
    let table = ENGINES.iter().chain(&ADAPTERS);
    let Some((_, allowed)) = table.into_iter().find(|(known, _)| known == name) else {
        return vec![format!("{name} is in no table of xtask/src/tidy/edges.rs")];
    };
    let wrong = package.inward.iter().filter(|target| !allowed.contains(&target.as_str()));
    wrong.map(|target| format!("{name} must not depend on {target}")).collect()
}

fn is_engine(name: &str) -> bool {
    ENGINES.iter().any(|(engine, _)| *engine == name)
}

fn worldly(engine: &str, parts: &[String]) -> Vec<Finding> {
    let mut found: Vec<&str> = parts.iter().map(String::as_str).collect();
    found.retain(|part| WORLDLY.contains(part));
    found.sort_unstable();
    found.dedup();
    found
        .into_iter()
        .map(|part| format!("{engine} is an engine and is built from {part}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, inward: &[&str]) -> Package {
        let inward = inward.iter().map(|name| (*name).to_owned()).collect();
        Package { name: name.to_owned(), folder: String::new(), inward }
    }

    #[test]
    fn an_edge_that_is_not_in_the_table_is_refused() {
        assert!(inward(&package("wharf-gateway", &["wharf-ws", "wharf-broker"])).is_empty());
        let found = inward(&package("wharf-broker", &["wharf-ws"]));
        assert_eq!(found, ["wharf-broker must not depend on wharf-ws"]);
    }

    #[test]
    fn a_new_crate_must_be_given_its_place() {
        assert_eq!(inward(&package("wharf-new", &[])).len(), 1);
    }

    #[test]
    fn an_engine_built_from_a_runtime_is_refused() {
        let parts = ["bytes", "tokio", "tokio"].map(str::to_owned);
        assert_eq!(worldly("wharf-ws", &parts), ["wharf-ws is an engine and is built from tokio"]);
    }
}
