//! The three criteria of section 2.1.4 and what ends a connection.

use wharf_mbws::recovery::{
    Claim, CloseRule, Criterion, LedgerView, Verdict, connection_name, judge,
};

use Criterion::{ClientWindow, ServerWindow};

fn claim(cslr: u64, cslw: u64, csuw: u64) -> Claim {
    Claim { cslr, cslw, csuw }
}

/// MBWS-043, MBWS-044, MBWS-045: the server has sent 1 to 10, of which 1 to 5 are acknowledged,
/// and has received 1 to 7.
#[test]
fn the_truth_table() {
    let ledger = LedgerView { taken: 7, acked: 5, sent: 10 };
    let resume = |resume_with| Verdict::Resume { resume_with, sslr: 7 };
    let table = [
        (claim(5, 6, 9), resume(6)),
        (claim(10, 8, 7), resume(11)),
        (claim(4, 6, 9), Verdict::Refuse(ServerWindow)),
        (claim(11, 6, 9), Verdict::Refuse(ServerWindow)),
        (claim(5, 9, 9), Verdict::Refuse(ClientWindow)),
        (claim(5, 3, 6), Verdict::Refuse(ClientWindow)),
        (claim(5, 8, 9), resume(6)),
        // and beyond the ledger of examples: both ends, and both wrong
        (claim(10, 1, 7), resume(11)),
        (claim(7, 7, 7), resume(8)),
        (claim(4, 9, 9), Verdict::Refuse(ServerWindow)),
        (claim(0, 1, 0), Verdict::Refuse(ServerWindow)),
        (Claim::UNREADABLE, Verdict::Refuse(ServerWindow)),
    ];
    for (claim, expected) in table {
        assert_eq!(judge(&claim, &ledger), expected, "{claim:?}");
    }
}

/// MBWS-A04, MBWS-A05: nothing was sent either way.
#[test]
fn a_connection_without_messages_resumes() {
    let ledger = LedgerView::default();
    let resume = Verdict::Resume { resume_with: 1, sslr: 0 };
    assert_eq!(judge(&claim(0, 1, 0), &ledger), resume);
    assert_eq!(judge(&claim(0, 0, 0), &ledger), resume, "a lower bound of 0 is read as 1");
    assert_eq!(judge(&claim(0, 1, 3), &ledger), resume);
    assert_eq!(judge(&claim(0, 2, 3), &ledger), Verdict::Refuse(ClientWindow));
    assert_eq!(judge(&claim(1, 1, 0), &ledger), Verdict::Refuse(ServerWindow));
}

/// MBWS-A22
#[test]
fn only_the_owner_s_failure_discards_state() {
    assert!(!Criterion::Name.discards_state());
    assert!(ServerWindow.discards_state());
    assert!(ClientWindow.discards_state());
}

/// MBWS-015, MBWS-022, MBWS-025, MBWS-122, MBWS-A09
#[test]
fn which_closes_end_a_connection() {
    for code in [None, Some(1006)] {
        assert!(!CloseRule::NormalOnly.ends_connection(code));
        assert!(!CloseRule::EveryHandshake.ends_connection(code));
    }
    for code in [1000, 1005] {
        assert!(CloseRule::NormalOnly.ends_connection(Some(code)));
        assert!(CloseRule::EveryHandshake.ends_connection(Some(code)));
    }
    for code in [1001, 1002, 1007, 1009, 1011, 1012, 1013, 3000, 4000] {
        assert!(!CloseRule::NormalOnly.ends_connection(Some(code)));
        assert!(CloseRule::EveryHandshake.ends_connection(Some(code)));
    }
}

/// MBWS-013, MBWS-A01, MBWS-A07
#[test]
fn connection_names_are_urns() {
    let name = connection_name([0xff; 16]);
    assert_eq!(name, "urn:uuid:ffffffff-ffff-4fff-bfff-ffffffffffff");
    let name =
        connection_name([0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(name, "urn:uuid:01234567-89ab-4def-8000-000000000000");
}
