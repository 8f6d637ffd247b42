use super::keys::KEYS;
use super::load::parse_file;
use super::{Config, PermissionRule, PolicyRule, Sources, UserEntry, load};
use std::collections::BTreeSet;
use toml::{Table, Value};

fn names(table: &Table, parent: &str, into: &mut BTreeSet<String>) {
    for (key, value) in table {
        let name = if parent.is_empty() { key.clone() } else { format!("{parent}.{key}") };
        match value {
            Value::Table(inner) => names(inner, &name, into),
            Value::Array(entries) if entries.iter().any(Value::is_table) => {
                for entry in entries.iter().filter_map(Value::as_table) {
                    names(entry, &format!("{name}[]"), into);
                }
            }
            _ => {
                into.insert(name);
            }
        }
    }
}

/// A configuration in which every list has an entry, so that every key is there.
fn full() -> Config {
    let mut config = Config::default();
    config
        .users
        .push(UserEntry { permissions: vec![PermissionRule::default()], ..UserEntry::default() });
    config.policies.push(PolicyRule {
        pattern: "**".to_owned(),
        kind: super::PolicyKind::Queue,
        deliveries_max: 1,
        dead_letter_address: String::new(),
        ttl_ms: 0,
        messages_max: 0,
        bytes_max: 0,
        overflow: super::OverflowRule::Reject,
    });
    config.locations.push(super::LocationRule::default());
    config.client_certificates.push(super::ClientCertificates::default());
    config.issuers.push(super::IssuerEntry::default());
    config.traces.push(super::TracesEntry::default());
    config.acme.push(super::AcmeEntry::default());
    config.proxy_protocol.push(super::ProxyProtocol::default());
    config
}

#[test]
fn every_key_of_the_struct_is_described_and_no_other() {
    let mut present = BTreeSet::new();
    names(&Table::try_from(full()).unwrap(), "", &mut present);
    let described: BTreeSet<String> = KEYS.iter().map(|key| key.name.to_owned()).collect();
    assert_eq!(present, described);
    // The fields of list entries are no settings of their own.
    let settings = KEYS.iter().filter(|key| !key.name.contains("[]")).count();
    assert!(settings < 40, "{settings} settings");
}

#[test]
fn the_default_file_is_the_default() {
    let text = super::default_file();
    let table = parse_file(&text, "default").unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(table.try_into::<Config>().unwrap(), Config::default());
}

#[test]
fn every_default_can_be_given_by_the_environment() {
    let defaults = Table::try_from(Config::default()).unwrap();
    for key in KEYS.iter().filter(|key| !key.name.contains('[')) {
        let (section, name) = key.name.split_once('.').unwrap();
        let value = defaults[section][name].to_string();
        let variable = format!("WHARF_{}__{}", section, name).to_ascii_uppercase();
        let sources =
            Sources { environment: vec![(variable.clone(), value)], ..Sources::default() };
        assert_eq!(load(&sources).as_ref(), Ok(&Config::default()), "{variable}");
    }
}

#[test]
fn errors_have_a_place_and_a_remedy() {
    let table = [
        (
            "[listen]\nadress = \"x\"",
            "f:2:1: unknown key `listen.adress`; did you mean `listen.address`?",
        ),
        ("[lisen]\n", "f:1:2: unknown key `lisen`; did you mean `listen`?"),
        ("zebra = 1", "f:1:1: unknown key `zebra`; `wharf config reference` lists every key"),
        (
            "[[users]]\nname = \"a\"\npasword_verifier = \"x\"\n",
            "f:3:1: unknown key `users[].pasword_verifier`; did you mean `users[].password_verifier`?",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(parse_file(text, "f").unwrap_err().to_string(), expected);
    }
    let error = parse_file("[listen]\n\nconnections_max = \"many\"", "f").unwrap_err();
    assert_eq!(error.place, "f:3:19");
    assert!(error.what.contains("invalid type"), "{error}");
    let error = parse_file("[listen\n", "f").unwrap_err();
    assert!(error.place.starts_with("f:1:"), "{error}");
}

#[test]
fn later_sources_win() {
    let sources = Sources {
        file: None,
        environment: vec![
            ("WHARF_LISTEN__ADDRESS".to_owned(), "127.0.0.1:1".to_owned()),
            ("WHARF_LOG__LEVEL".to_owned(), "debug".to_owned()),
            ("WHARF_PASSWORD".to_owned(), "not a setting".to_owned()),
            ("PATH".to_owned(), "/bin".to_owned()),
        ],
        settings: vec![
            "listen.address=127.0.0.1:2".to_owned(),
            "websocket.origins=https://a.example, https://b.example".to_owned(),
            "websocket.compression=false".to_owned(),
        ],
    };
    let config = load(&sources).unwrap();
    assert_eq!(config.listen.address, "127.0.0.1:2");
    assert_eq!(config.log.level, "debug");
    assert_eq!(config.websocket.origins, ["https://a.example", "https://b.example"]);
    assert!(!config.websocket.compression);
}

#[test]
fn overlays_are_refused_by_name() {
    let set = |setting: &str| {
        let sources = Sources { settings: vec![setting.to_owned()], ..Sources::default() };
        load(&sources).unwrap_err().to_string()
    };
    assert_eq!(
        set("listen.addres=x"),
        "--set listen.addres=x: unknown key `listen.addres`; did you mean `listen.address`?"
    );
    assert_eq!(set("listen"), "--set listen: expected section.key=value");
    assert!(set("listen.connections_max=-1").starts_with("--set listen.connections_max=-1: "));
    assert!(set("users=x").contains("unknown key `users`"));
    let sources = Sources {
        environment: vec![("WHARF_LISTEN__PORT".to_owned(), "1".to_owned())],
        ..Sources::default()
    };
    assert!(load(&sources).unwrap_err().to_string().starts_with("WHARF_LISTEN__PORT: unknown key"));
}

#[test]
fn values_that_cannot_work_are_named() {
    assert_eq!(super::problems(&Config::default()), Vec::<String>::new());
    let mut config = full();
    config.listen.address = "localhost".to_owned();
    config.tls.key_file = "key.pem".into();
    config.shutdown.close_code = 1000;
    config.users[0].name = "a:b".to_owned();
    let problems = super::problems(&config);
    for key in ["listen.address", "tls:", "shutdown.close_code", "users: `a:b`"] {
        assert!(problems.iter().any(|problem| problem.starts_with(key)), "{key}: {problems:?}");
    }
}
