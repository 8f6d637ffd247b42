//! Archives of accounts (XEP-0313): what is in them, what goes in, and what is too old.
//!
//! A message is kept once, however many inboxes and archives it is in. What an archive is searched
//! by is in the notes of its entries, and from there in memory.
//!
//! | module | what it owns |
//! |---|---|
//! | `page` | which messages a request means (XEP-0059) |
//! | `query` | requests and their answers |
//! | `prefs` | whose messages an account wants to be kept |

mod page;
mod prefs;
mod query;

use crate::binding::address;
use crate::chat::{Chat, Turn};
use crate::messages::Speaker;
use bytes::{Bytes, BytesMut};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use wharf_broker::{PERSON_PREFIX, QueueId};
use wharf_xmpp::jid::Jid;

pub(crate) const MAM: &str = "urn:xmpp:mam:2";
pub(crate) const MAM_EXTENDED: &str = "urn:xmpp:mam:2#extended";

/// Name of the mailbox that is an account's archive.
const ARCHIVE_NAME: &str = "archive";

/// One message of an archive.
#[derive(Clone, Debug)]
struct Kept {
    /// Its name, which is also when it was sent, in microseconds since 1970.
    name: u64,
    entry: u64,
    /// Who is at the other end.
    peer: Arc<str>,
}

#[derive(Debug)]
struct Archive {
    queue: QueueId,
    /// In the order of their names.
    kept: VecDeque<Kept>,
}

/// Every account's archive.
#[derive(Debug, Default)]
pub(crate) struct Archives {
    by_account: BTreeMap<Box<str>, Archive>,
    by_queue: BTreeMap<QueueId, Box<str>>,
    /// The same few addresses are in all of them.
    peers: BTreeSet<Arc<str>>,
}

impl Archives {
    fn peer(&mut self, jid: &str) -> Arc<str> {
        match self.peers.get(jid) {
            Some(known) => Arc::clone(known),
            None => {
                let peer: Arc<str> = Arc::from(jid);
                self.peers.insert(Arc::clone(&peer));
                peer
            }
        }
    }

    /// The archive of an account is gone.
    pub(crate) fn forget(&mut self, bare: &str) {
        if let Some(archive) = self.by_account.remove(bare) {
            self.by_queue.remove(&archive.queue);
        }
    }

    fn add(&mut self, bare: &str, queue: QueueId, (name, entry, peer): (u64, u64, &str)) {
        let peer = self.peer(peer);
        let archive = self.by_account.entry(bare.into());
        let archive = archive.or_insert_with(|| Archive { queue, kept: VecDeque::new() });
        archive.kept.push_back(Kept { name, entry, peer });
        self.by_queue.entry(queue).or_insert_with(|| bare.into());
    }
}

/// What is noted with an entry.
fn note(name: u64, peer: &str) -> Bytes {
    let mut note = BytesMut::with_capacity(peer.len().saturating_add(8));
    note.extend_from_slice(&name.to_be_bytes());
    note.extend_from_slice(peer.as_bytes());
    note.freeze()
}

fn read_note(note: &[u8]) -> Option<(u64, &str)> {
    let (name, peer) = note.split_first_chunk::<8>()?;
    Some((u64::from_be_bytes(*name), std::str::from_utf8(peer).ok()?))
}

impl Chat {
    /// Adds the archives that a message goes into to its mailboxes. True: that of the recipient is
    /// one of them.
    pub(crate) fn archive(
        &mut self,
        turn: &mut Turn<'_>,
        speaker: &Speaker,
        to: &Jid,
        name: u64,
        boxes: &mut Vec<(QueueId, Option<Bytes>)>,
    ) -> bool {
        let sender = speaker.jid.bare();
        let to_self = sender.as_str() == to.bare_str();
        if !to_self && self.is_host(sender.domain()) && sender.local().is_some() {
            self.archive_for(turn, sender.as_str(), to.as_str(), name, boxes);
        }
        self.archive_for(turn, to.bare_str(), speaker.jid.as_str(), name, boxes)
    }

    fn archive_for(
        &mut self,
        turn: &mut Turn<'_>,
        bare: &str,
        peer: &str,
        name: u64,
        boxes: &mut Vec<(QueueId, Option<Bytes>)>,
    ) -> bool {
        if self.config.archive_messages_max == 0 || !prefs::wants(turn.shard, bare, peer) {
            return false;
        }
        let known = self.services.archives.by_account.get(bare).map(|archive| archive.queue);
        let queue = known.unwrap_or_else(|| {
            let host = bare.rsplit('@').next().unwrap_or_default();
            turn.shard.make_mailbox(host, &address(bare), ARCHIVE_NAME)
        });
        let entry = turn.shard.next_entry(queue);
        self.services.archives.add(bare, queue, (name, entry, peer));
        boxes.push((queue, Some(note(name, peer))));
        true
    }

    /// After a message went into archives: what is too much in them goes.
    pub(crate) fn trim_archives(
        &mut self,
        turn: &mut Turn<'_>,
        boxes: &[(QueueId, Option<Bytes>)],
    ) {
        let max = self.config.archive_messages_max;
        for (queue, _) in boxes.iter().filter(|(_, note)| note.is_some()) {
            let archives = &mut self.services.archives;
            let account = archives.by_queue.get(queue);
            let archive = account.and_then(|bare| archives.by_account.get_mut(bare));
            let Some(archive) = archive else { continue };
            while archive.kept.len() > max {
                archive.kept.pop_front();
            }
            if let Some(first) = archive.kept.front() {
                turn.shard.trim(*queue, first.entry);
            }
        }
    }

    /// Reads the notes of every archive.
    pub(crate) fn recover_archives(&mut self, turn: &mut Turn<'_>) {
        let mailboxes = turn.shard.all_mailboxes();
        let archives: Vec<(String, QueueId)> = mailboxes
            .filter(|(_, _, name, _)| *name == ARCHIVE_NAME)
            .filter_map(|(_, address, _, queue)| {
                Some((address.strip_prefix(PERSON_PREFIX)?.to_owned(), queue))
            })
            .collect();
        for (bare, queue) in archives {
            let mut last = 0;
            for entry in turn.shard.entries(queue) {
                let noted = entry.note.and_then(|note| read_note(note));
                if let Some((name, peer)) = noted {
                    self.services.archives.add(&bare, queue, (name, entry.entry, peer));
                    last = last.max(name);
                }
            }
            self.names.continue_after(last);
        }
    }
}
