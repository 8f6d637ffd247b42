//! An account that is removed: whoever gets its name next inherits nothing.

use crate::binding::address;
use crate::chat::{Chat, Turn};
use crate::roster;
use crate::subscription::{Act, hear, plain};
use wharf_xmpp::jid::Jid;

/// What is kept of an account in documents, by what their keys begin with; the account follows.
const KEPT: [&str; 5] = ["roster-version/", "vcard/", "left/", "blocked/", "archive-prefs/"];

/// The same, where more follows behind the account.
const KEPT_MANY: [&str; 2] = ["roster/", "private/"];

impl Chat {
    /// The user is removed, and its sessions have ended.
    pub(crate) fn forget_user(&mut self, turn: &mut Turn<'_>, user: &str) {
        let hosts = self.config.hosts.clone();
        for host in &hosts {
            if let Ok(jid) = Jid::of_user(user, host) {
                self.irregular.remove(jid.local().unwrap_or_default());
                self.part_from_everybody(turn, jid.as_str());
                self.forget_account(turn, host, jid.as_str());
            }
        }
    }

    /// Whoever knows the account is told that it neither sees nor shows presence any more
    /// (RFC 6121, sections 3.2 and 3.3), and approves nothing ahead.
    fn part_from_everybody(&mut self, turn: &mut Turn<'_>, bare: &str) {
        for other in roster::knowing(turn.shard, bare) {
            for act in [Act::Unsubscribe, Act::Unsubscribed] {
                let stanza = plain(bare, &other, act);
                let mut item = roster::get(turn.shard, &other, bare).unwrap_or_default();
                let approved = std::mem::take(&mut item.approved);
                let heard = hear(&mut item, act, &stanza);
                let pushed = heard.pushed || approved;
                self.keep(turn, &other, bare, &item, pushed);
                if heard.delivered && !self.is_blocked(turn.shard, &other, bare) {
                    self.deliver_act(turn, &other, act, &stanza);
                }
                if pushed {
                    self.push_item(turn, &other, bare, &item);
                }
            }
        }
    }

    fn forget_account(&mut self, turn: &mut Turn<'_>, host: &str, bare: &str) {
        let mut keys: Vec<String> = KEPT.iter().map(|kind| format!("{kind}{bare}")).collect();
        for kind in KEPT_MANY {
            let prefix = format!("{kind}{bare}/");
            keys.extend(turn.shard.documents(&prefix).map(|(key, _)| key.to_owned()));
        }
        for key in keys {
            turn.shard.put_document(&key, None);
        }
        self.services.archives.forget(bare);
        self.services.blockers.forget(bare);
        for (_, queue) in turn.shard.mailboxes(host, &address(bare)) {
            turn.shard.close_mailbox(queue);
        }
    }
}
