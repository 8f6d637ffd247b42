//! What holds for every address.

use proptest::prelude::*;
use wharf_xmpp::jid::Jid;

fn address() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        "[a-zA-Z0-9.-]{1,8}",
        "[a-z\u{c0}-\u{17f}\u{370}-\u{3ff}\u{5d0}-\u{5ea}\u{ff01}-\u{ff5e}]{1,6}",
        any::<String>(),
    ];
    (part.clone(), part.clone(), part).prop_flat_map(|(a, b, c)| {
        prop_oneof![
            Just(format!("{a}@{b}/{c}")),
            Just(format!("{a}@{b}")),
            Just(format!("{a}/{b}")),
            Just(a),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_enforced_form_is_its_own(text in address()) {
        if let Ok(jid) = Jid::parse(&text) {
            let again = Jid::parse(jid.as_str());
            prop_assert_eq!(again.as_ref(), Ok(&jid), "{:?}", text);
            let put = Jid::from_parts(jid.local(), jid.domain(), jid.resource());
            prop_assert_eq!(put, Ok(jid));
        }
    }

    #[test]
    fn the_parts_are_the_whole(text in address()) {
        if let Ok(jid) = Jid::parse(&text) {
            let mut whole = String::new();
            if let Some(local) = jid.local() {
                prop_assert!((1..=1023).contains(&local.len()));
                whole = format!("{local}@");
            }
            whole.push_str(jid.domain());
            prop_assert_eq!(&whole, jid.bare_str());
            if let Some(resource) = jid.resource() {
                prop_assert!((1..=1023).contains(&resource.len()));
                whole = format!("{whole}/{resource}");
            }
            prop_assert_eq!(&whole, jid.as_str());
        }
    }

    /// ASCII is prepared without the library; it is as the library would have it.
    #[test]
    fn ascii_is_no_exception(local in "[!-~]{1,6}") {
        let ascii = Jid::from_parts(Some(&local), "b", None).ok();
        let other = Jid::from_parts(Some(&format!("{local}\u{e9}")), "b", None).ok();
        let of_ascii = ascii.as_ref().and_then(Jid::local).map(|local| format!("{local}\u{e9}"));
        prop_assert_eq!(of_ascii.as_deref(), other.as_ref().and_then(Jid::local));
    }
}
