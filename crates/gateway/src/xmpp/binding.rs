//! Resources, managed streams, resumption: which session of the broker a stream has.

use super::Face;
use crate::request::Requests;
use wharf_broker::{Ledger, SessionKey, SessionKind};
use wharf_chat::Command;
use wharf_xmpp::StreamCondition;
use wharf_xmpp::jid::Jid;
use wharf_xmpp::server::{BindRequest, EnableRequest, Enabled, ResumeRequest};
use wharf_xmpp::stanza::StanzaCondition;
use wharf_xmpp::stream;

/// What the shard was asked for the engine; nothing is read until it answers.
#[derive(Debug)]
pub(super) enum Asked {
    Nothing,
    /// A session for a resource.
    Bind(Box<str>),
    /// Another one in its place, for a managed stream; with the identifier to resume it by, if it
    /// can be resumed.
    Enable(Option<Box<str>>),
    /// One that was there before, where the client has this address.
    Resume(Jid),
}

impl Face {
    /// The key of a session of this connection.
    fn key(&self, name: String) -> SessionKey {
        SessionKey {
            host: self.caller.host.clone(),
            user: self.caller.user.clone().unwrap_or_default(),
            origin: self.caller.origin.clone(),
            name,
        }
    }

    /// What nobody can guess, and no other connection has.
    fn unique(&self) -> &str {
        self.caller.name.rsplit(':').next().unwrap_or_default()
    }

    // RFC 6120 7.6, 7.7.
    pub(super) fn ask_to_bind(&mut self, request: BindRequest, requests: &mut Requests) {
        let resource = request.wanted.unwrap_or(request.generated);
        // XEP-0386 3.2: a client that comes again has left its earlier sessions.
        let login = self.login.as_mut().filter(|_| request.with_login);
        let replaces = login.and_then(|login| login.client_id.take());
        requests.push_back(Command::Bind {
            key: self.key(format!("-{}/{resource}", self.unique())),
            kind: SessionKind::Volatile,
            replaces,
            carbons: request.carbons,
            resource: resource.clone(),
        });
        self.asked = Asked::Bind(resource.into_boxed_str());
    }

    /// A managed stream is another session: its numbers begin at 1 as its counts do.
    // XEP-0198 3, 4.
    pub(super) fn ask_to_enable(&mut self, request: EnableRequest, requests: &mut Requests) {
        let resource = self.engine.jid().and_then(Jid::resource).unwrap_or_default();
        let name = format!("{}/{resource}", self.unique());
        // What was sent until now has arrived or never will.
        self.leave_session(requests);
        let (kind, id) = match request.resume {
            true => (SessionKind::Recoverable, Some(name.clone().into_boxed_str())),
            false => (SessionKind::Volatile, None),
        };
        requests.push_back(Command::Enable { key: self.key(name), kind });
        self.asked = Asked::Enable(id);
    }

    // XEP-0198 5: by the same user, from the same origin.
    pub(super) fn ask_to_resume(&mut self, request: &ResumeRequest, requests: &mut Requests) {
        let resource = request.id.split_once('/').map(|(_, resource)| resource);
        let jid = resource.zip(self.engine.jid());
        let jid = jid.and_then(|(resource, jid)| jid.with_resource(resource).ok());
        let Some(jid) = jid else { return self.unresumable() };
        let key = self.key(request.id.clone());
        requests.push_back(Command::Resume { key, handled: request.handled });
        self.asked = Asked::Resume(jid);
    }

    fn take_asked(&mut self) -> Asked {
        std::mem::replace(&mut self.asked, Asked::Nothing)
    }

    /// The session is there.
    pub(super) fn opened(&mut self) {
        let answered = match self.take_asked() {
            Asked::Bind(resource) => self.engine.bind(&resource, &[]),
            Asked::Enable(id) => {
                let max = self.config.xmpp.resume_max_secs();
                let enabled = Enabled {
                    id: id.as_deref(),
                    max_secs: id.is_some().then_some(max),
                    location: None,
                };
                self.engine.enable(enabled)
            }
            asked @ (Asked::Nothing | Asked::Resume(_)) => {
                self.asked = asked;
                return;
            }
        };
        self.begin(0, answered);
    }

    /// The session is ours again.
    pub(super) fn attached(&mut self, ledger: &Ledger) {
        let Asked::Resume(jid) = self.take_asked() else { return };
        let Ledger { taken, settled: acked, sent } = *ledger;
        let told = stream::Ledger { taken, sent, acked };
        let answered = self.engine.resume(&jid, &told);
        self.begin(taken, answered);
    }

    /// Stanzas flow, the first of them with the number behind `taken`.
    fn begin(&mut self, taken: u64, answered: Result<(), stream::Misuse>) {
        self.seq = taken;
        self.untaken.resume(taken);
        self.forget_login();
        if answered.is_err() && !self.engine.is_over() {
            self.end_with(StreamCondition::InternalServerError, "the session does not fit");
        }
    }

    /// The login needs no more memory, unless somebody has to hear of it.
    fn forget_login(&mut self) {
        self.login.take_if(|login| login.is_over());
    }

    /// There is no such session.
    pub(super) fn unknown(&mut self) {
        if let Asked::Resume(_) = self.asked {
            self.asked = Asked::Nothing;
            self.unresumable();
        }
    }

    // XEP-0198 5.
    fn unresumable(&mut self) {
        let _ = self.engine.refuse_resume(StanzaCondition::ItemNotFound, None);
    }

    /// There are sessions enough.
    // RFC 6120 7.6.2.1.
    pub(super) fn refused(&mut self) {
        let condition = StanzaCondition::ResourceConstraint;
        let _ = match self.asked {
            Asked::Bind(_) => self.engine.refuse_bind(condition),
            Asked::Enable(_) => self.engine.refuse_enable(condition),
            Asked::Nothing | Asked::Resume(_) => return,
        };
        self.asked = Asked::Nothing;
    }
}
