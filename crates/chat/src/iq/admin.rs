//! Commands of administrators (XEP-0133), as ad-hoc commands of two steps (XEP-0050).

use super::{Asked, disco};
use crate::chat::{Chat, Turn};
use crate::command::Request;
use crate::forms::{self, Field};
use crate::limits::ADHOC_SESSIONS_MAX;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use wharf_broker::{SessionId, Transient};
use wharf_xmpp::jid::Jid;
use wharf_xmpp::ns;
use wharf_xmpp::stanza::{Stanza, StanzaCondition};
use wharf_xmpp::xml::{Element, element, text};

pub(super) const COMMANDS: &str = "http://jabber.org/protocol/commands";
const ADMIN: &str = "http://jabber.org/protocol/admin";

/// What an administrator can do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Act {
    AddUser,
    DeleteUser,
    ChangePassword,
    CountRegistered,
    CountOnline,
    ListRegistered,
    ListOnline,
    Announce,
}

/// Each with its node and what it is called (XEP-0133, section 4).
const ACTS: [(Act, &str, &str); 8] = [
    (Act::AddUser, "add-user", "Add User"),
    (Act::DeleteUser, "delete-user", "Delete User"),
    (Act::ChangePassword, "change-user-password", "Change User Password"),
    (Act::CountRegistered, "get-registered-users-num", "Get Number of Registered Users"),
    (Act::CountOnline, "get-online-users-num", "Get Number of Online Users"),
    (Act::ListRegistered, "get-registered-users-list", "Get List of Registered Users"),
    (Act::ListOnline, "get-online-users-list", "Get List of Online Users"),
    (Act::Announce, "announce", "Send Announcement to Online Users"),
];

/// Names listed at most: a stanza has an end.
const LISTED_MAX: usize = 1000;

fn find(node: &str) -> Option<(Act, &'static str)> {
    let name = node.strip_prefix(ADMIN)?.strip_prefix('#')?;
    ACTS.iter().find(|(_, node, _)| *node == name).map(|(act, _, title)| (*act, *title))
}

impl Act {
    /// What it asks for, by name, type and label; nothing: it is done at once.
    fn fields(self) -> &'static [(&'static str, &'static str, &'static str)] {
        match self {
            Self::AddUser => &[
                ("accountjid", "jid-single", "The address of the new account"),
                ("password", "text-private", "The password"),
                ("password-verify", "text-private", "The password once more"),
            ],
            Self::DeleteUser => &[("accountjids", "jid-multi", "The accounts to delete")],
            Self::ChangePassword => &[
                ("accountjid", "jid-single", "The account"),
                ("password", "text-private", "The new password"),
            ],
            Self::Announce => &[("announcement", "text-multi", "What to say")],
            _ => &[],
        }
    }
}

/// Commands that were begun and not finished.
#[derive(Debug, Default)]
pub(super) struct AdHoc {
    begun: u64,
    open: BTreeMap<u64, (SessionId, String)>,
}

impl AdHoc {
    fn begin(&mut self, session: SessionId, node: &str) -> u64 {
        self.begun = self.begun.saturating_add(1);
        while self.open.len() >= ADHOC_SESSIONS_MAX {
            self.open.pop_first();
        }
        self.open.insert(self.begun, (session, node.to_owned()));
        self.begun
    }

    fn take(&mut self, id: &str, session: SessionId, node: &str) -> bool {
        let Ok(id) = id.parse::<u64>() else { return false };
        let fits =
            self.open.get(&id).is_some_and(|(of, for_node)| *of == session && for_node == node);
        if fits {
            self.open.remove(&id);
        }
        fits
    }
}

impl Chat {
    pub(super) fn command_items(&mut self, turn: &mut Turn<'_>, asked: Asked<'_, '_>, to: &Jid) {
        let may = self.administers(turn, asked.session);
        let server = to.domain().to_owned();
        self.answer(turn, asked.session, asked.stanza, |out| {
            element(out, "query", &[("xmlns", disco::ITEMS), ("node", COMMANDS)], |out| {
                for (_, node, title) in ACTS.iter().filter(|_| may) {
                    let node = format!("{ADMIN}#{node}");
                    let item = [("jid", &*server), ("node", &*node), ("name", *title)];
                    element(out, "item", &item, |_| {});
                }
            });
        });
    }

    pub(super) fn command_info(&mut self, turn: &mut Turn<'_>, asked: Asked<'_, '_>, node: &str) {
        let found = find(node).filter(|_| self.administers(turn, asked.session));
        let title = match (found, node) {
            (Some((_, title)), _) => title,
            (None, COMMANDS) => "Commands",
            (None, _) => {
                let condition = StanzaCondition::ItemNotFound;
                return self.refuse(turn, asked.session, asked.stanza, condition);
            }
        };
        let kind = if node == COMMANDS { "command-list" } else { "command-node" };
        self.answer(turn, asked.session, asked.stanza, |out| {
            element(out, "query", &[("xmlns", disco::INFO), ("node", node)], |out| {
                let identity = [("category", "automation"), ("type", kind), ("name", title)];
                element(out, "identity", &identity, |_| {});
                for feature in [COMMANDS, forms::FORMS] {
                    element(out, "feature", &[("var", feature)], |_| {});
                }
            });
        });
    }

    // XEP-0050 3, XEP-0133 3.
    pub(super) fn command(&mut self, turn: &mut Turn<'_>, asked: Asked<'_, '_>) {
        let Asked { session, stanza, payload } = asked;
        let node = payload.attribute("node").unwrap_or_default();
        let Some((act, title)) = find(&node) else {
            return self.refuse(turn, session, stanza, StanzaCondition::ItemNotFound);
        };
        if !self.administers(turn, session) {
            return self.refuse(turn, session, stanza, StanzaCondition::Forbidden);
        }
        let action = payload.attribute("action");
        let running = payload.attribute("sessionid");
        if let Some(id) = running {
            if !self.services.adhoc.take(&id, session, &node) {
                return self.refuse(turn, session, stanza, StanzaCondition::BadRequest);
            }
            if action.as_deref() == Some("cancel") {
                return self.tell_command(turn, session, stanza, "canceled", |_| {});
            }
            let form = payload.child("x", forms::FORMS).map(|form| forms::read(&form));
            return self.perform(turn, session, stanza, act, &form.unwrap_or_default());
        }
        if act.fields().is_empty() {
            return self.perform(turn, session, stanza, act, &Vec::new());
        }
        let id = self.services.adhoc.begin(session, &node).to_string();
        self.tell_form(turn, session, stanza, act, (title, &id));
    }

    fn tell_form(
        &self,
        turn: &mut Turn<'_>,
        session: SessionId,
        stanza: &Stanza<'_>,
        act: Act,
        (title, id): (&str, &str),
    ) {
        let node = node_of(stanza);
        let attributes =
            [("xmlns", COMMANDS), ("node", &*node), ("sessionid", id), ("status", "executing")];
        self.answer(turn, session, stanza, |out| {
            element(out, "command", &attributes, |out| {
                element(out, "actions", &[("execute", "complete")], |out| {
                    element(out, "complete", &[], |_| {});
                });
                forms::write_form(out, title, ADMIN, act.fields());
            });
        });
    }

    fn perform(
        &mut self,
        turn: &mut Turn<'_>,
        session: SessionId,
        stanza: &Stanza<'_>,
        act: Act,
        form: &[Field],
    ) {
        match act {
            Act::AddUser | Act::ChangePassword => {
                self.put_user(turn, session, stanza, form, act == Act::AddUser);
            }
            Act::DeleteUser => self.delete_users(turn, session, stanza, form),
            Act::CountRegistered => {
                let count = turn.shard.user_names().count().to_string();
                self.tell_values(turn, session, stanza, "registeredusersnum", &[count]);
            }
            Act::CountOnline => {
                let count = self.online().len().to_string();
                self.tell_values(turn, session, stanza, "onlineusersnum", &[count]);
            }
            Act::ListRegistered => {
                let host = self.people.get(session).map(|it| it.host.to_string());
                let host = host.unwrap_or_default();
                let users = turn.shard.user_names().take(LISTED_MAX);
                let users = users.filter_map(|user| Jid::of_user(user, &host).ok());
                let users: Vec<String> = users.map(|jid| jid.as_str().to_owned()).collect();
                self.tell_values(turn, session, stanza, "registereduserjids", &users);
            }
            Act::ListOnline => {
                let online: Vec<String> = self.online().into_iter().take(LISTED_MAX).collect();
                self.tell_values(turn, session, stanza, "onlineuserjids", &online);
            }
            Act::Announce => self.announce(turn, session, stanza, form),
        }
    }

    fn online(&self) -> BTreeSet<String> {
        let available = self.people.all().filter(|it| it.availability.stanza().is_some());
        available.map(|it| it.bare().to_owned()).collect()
    }

    /// The user that an address in a form means, at a host of ours.
    fn named_user(&self, address: &str) -> Option<String> {
        let jid = Jid::parse(address).ok()?;
        let local = jid.local().filter(|_| self.is_host(jid.domain()))?;
        let known = self.irregular.get(local).map(|user| user.to_string());
        Some(known.unwrap_or_else(|| wharf_xmpp::jid::unescape_local(local).into_owned()))
    }

    // XEP-0133 4.1, 4.6.
    fn put_user(
        &mut self,
        turn: &mut Turn<'_>,
        session: SessionId,
        stanza: &Stanza<'_>,
        form: &[Field],
        is_new: bool,
    ) {
        let name = forms::value(form, "accountjid").and_then(|jid| self.named_user(jid));
        let password = forms::value(form, "password").filter(|password| !password.is_empty());
        let again = forms::value(form, "password-verify").or(password);
        let (Some(name), Some(password)) = (name, password) else {
            return self.refuse(turn, session, stanza, StanzaCondition::BadRequest);
        };
        if again != Some(password) {
            return self.refuse(turn, session, stanza, StanzaCondition::NotAcceptable);
        }
        if turn.shard.has_user(&name) == is_new {
            let condition =
                if is_new { StanzaCondition::Conflict } else { StanzaCondition::ItemNotFound };
            return self.refuse(turn, session, stanza, condition);
        }
        if !self.has_room_for_request() {
            return self.refuse(turn, session, stanza, StanzaCondition::ResourceConstraint);
        }
        let id = self.next_request();
        self.wait_for(id, session, stanza, true);
        let password = password.to_owned();
        self.requests.push_back(Request::PutUser { id, name, password, is_new });
    }

    // XEP-0133 4.2.
    fn delete_users(
        &mut self,
        turn: &mut Turn<'_>,
        session: SessionId,
        stanza: &Stanza<'_>,
        form: &[Field],
    ) {
        let named = forms::values(form, "accountjids");
        let mut names: Vec<String> = Vec::new();
        for address in named {
            match self.named_user(address).filter(|name| turn.shard.has_user(name)) {
                Some(name) if names.len() < LISTED_MAX => names.push(name),
                _ => return self.refuse(turn, session, stanza, StanzaCondition::ItemNotFound),
            }
        }
        let Some(last) = names.pop() else {
            return self.refuse(turn, session, stanza, StanzaCondition::BadRequest);
        };
        if !self.has_room_for_request() {
            return self.refuse(turn, session, stanza, StanzaCondition::ResourceConstraint);
        }
        for name in names {
            let id = self.next_request();
            self.requests.push_back(Request::RemoveUser { id, name });
        }
        let id = self.next_request();
        self.wait_for(id, session, stanza, true);
        self.requests.push_back(Request::RemoveUser { id, name: last });
    }

    // XEP-0133 4.23.
    fn announce(
        &mut self,
        turn: &mut Turn<'_>,
        session: SessionId,
        stanza: &Stanza<'_>,
        form: &[Field],
    ) {
        let lines: Vec<&str> = forms::values(form, "announcement").collect();
        if lines.is_empty() {
            return self.refuse(turn, session, stanza, StanzaCondition::BadRequest);
        }
        let said = lines.join("\n");
        let Some(resource) = self.people.get(session) else { return };
        let host = resource.host.to_string();
        let mut out = Vec::new();
        let attributes = [("xmlns", ns::CLIENT), ("from", &*host), ("type", "headline")];
        element(&mut out, "message", &attributes, |out| {
            element(out, "body", &[], |out| text(out, &said));
        });
        let announcement = Bytes::from(out);
        let online = self.people.all().filter(|it| it.availability.stanza().is_some());
        let online: Vec<SessionId> = online.map(|it| it.session).collect();
        for session in online {
            turn.shard.transmit(session, Transient::new(announcement.clone()));
        }
        self.complete(turn, session, stanza, "Announced.");
    }

    fn tell_values(
        &self,
        turn: &mut Turn<'_>,
        session: SessionId,
        stanza: &Stanza<'_>,
        name: &str,
        values: &[String],
    ) {
        self.tell_command(turn, session, stanza, "completed", |out| {
            forms::write_result(out, ADMIN, name, values);
        });
    }

    /// The command is done.
    pub(super) fn complete(
        &self,
        turn: &mut Turn<'_>,
        session: SessionId,
        stanza: &Stanza<'_>,
        note: &str,
    ) {
        self.tell_command(turn, session, stanza, "completed", |out| {
            element(out, "note", &[("type", "info")], |out| text(out, note));
        });
    }

    fn tell_command(
        &self,
        turn: &mut Turn<'_>,
        session: SessionId,
        stanza: &Stanza<'_>,
        status: &str,
        content: impl Fn(&mut Vec<u8>),
    ) {
        let node = node_of(stanza);
        let running = stanza.payload().and_then(|it| it.attribute("sessionid"));
        let id = running.unwrap_or_else(|| "once".into());
        let attributes =
            [("xmlns", COMMANDS), ("node", &*node), ("sessionid", &*id), ("status", status)];
        self.answer(turn, session, stanza, |out| element(out, "command", &attributes, &content));
    }
}

fn node_of(stanza: &Stanza<'_>) -> String {
    let payload: Option<Element<'_>> = stanza.payload();
    payload.and_then(|it| it.attribute("node").map(|node| node.into_owned())).unwrap_or_default()
}
