//! Acknowledgements and resumption (XEP-0198).

use super::connection::{Asked, Connection, Stage};
use super::event::{EnableRequest, Event, ResumeRequest};
use crate::jid::Jid;
use crate::limits::STREAM_ID_MAX_BYTES;
use crate::stanza::StanzaCondition;
use crate::stream::{Ledger, Managed, Misuse, Violation, read_count, write_nonza};
use crate::xml::Element;

/// What a client is told of its managed stream.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Enabled<'a> {
    /// The identifier to resume it by; `None` if it cannot be resumed. It cannot be guessed, and
    /// no other stream has it.
    pub id: Option<&'a str>,
    /// For how many seconds it can be resumed.
    pub max_secs: Option<u32>,
    /// Where to resume it at best, a host with or without port.
    pub location: Option<&'a str>,
}

pub(super) fn read_enable(enable: &Element<'_>) -> EnableRequest {
    let resume = enable.attribute("resume");
    EnableRequest {
        resume: matches!(resume.as_deref(), Some("true" | "1")),
        max_secs: enable.attribute("max").and_then(|max| max.parse().ok()),
    }
}

pub(super) fn read_resume(resume: &Element<'_>) -> Option<(String, u32)> {
    let id = resume.attribute("previd")?;
    let fits = (1..=STREAM_ID_MAX_BYTES).contains(&id.len());
    Some((Some(id.into_owned()).filter(|_| fits)?, read_count(resume)?))
}

impl Connection {
    /// An element of stream management where it does not belong.
    // XEP-0198 3, 6.
    pub(super) fn refuse_management(&mut self, element: &Element<'_>) {
        // An acknowledgement of nothing is not answered.
        if element.name() != "a" {
            let failed = failed(StanzaCondition::UnexpectedRequest, None);
            self.link.message(|out| out.extend_from_slice(&failed));
        }
    }

    /// Elements of stream management once a resource is bound.
    pub(super) fn on_management<'a>(
        &mut self,
        element: &Element<'_>,
    ) -> Result<Option<Event<'a>>, Violation> {
        if let Some(told) = self.link.on_acknowledging(element) {
            return Ok(told?.map(|up_to| Event::Handled { up_to }));
        }
        match element.name() {
            // XEP-0198 3: at most once.
            "enable" if self.enable_asked => {
                return Err(Violation::Unexpected("a second <enable/>"));
            }
            "enable" if self.config.stream_management => self.ask_enable(read_enable(element)),
            "enable" => {
                let failed = failed(StanzaCondition::FeatureNotImplemented, None);
                self.link.message(|out| out.extend_from_slice(&failed));
            }
            "resume" | "r" | "a" => self.refuse_management(element),
            _ => return Err(Violation::UnknownElement),
        }
        Ok(None)
    }

    pub(super) fn ask_enable(&mut self, request: EnableRequest) {
        self.enable_asked = true;
        self.asked = Some(Asked::Enable);
        self.events.push_back(Event::Enable(request));
    }

    /// Answers `Enable`. Stanzas of both sides are counted from here on.
    ///
    /// # Errors
    /// Nothing was asked.
    pub fn enable(&mut self, enabled: Enabled<'_>) -> Result<(), Misuse> {
        self.take_asked(&Asked::Enable)?;
        let max = enabled.max_secs.map(|max| max.to_string());
        let resumable = enabled.id.is_some();
        let attributes = [
            ("id", enabled.id),
            ("resume", resumable.then_some("true")),
            ("max", max.as_deref().filter(|_| resumable)),
            ("location", enabled.location),
        ];
        let mut result = Vec::new();
        write_nonza(&mut result, "enabled", &attributes, |_| {});
        self.link.manage(Managed::new(resumable));
        self.told_of_management(&result);
        Ok(())
    }

    /// Answers `Enable`: the stream stays as it is.
    ///
    /// # Errors
    /// Nothing was asked.
    pub fn refuse_enable(&mut self, condition: StanzaCondition) -> Result<(), Misuse> {
        self.take_asked(&Asked::Enable)?;
        self.told_of_management(&failed(condition, None));
        Ok(())
    }

    fn told_of_management(&mut self, result: &[u8]) {
        if self.inline.is_some() {
            self.inline_enabled(result);
        } else {
            self.link.message(|out| out.extend_from_slice(result));
        }
    }

    fn take_asked(&mut self, asked: &Asked) -> Result<(), Misuse> {
        if self.asked.as_ref() != Some(asked) {
            return Err(Misuse::NothingAsked);
        }
        self.asked = None;
        Ok(())
    }

    /// `<resume/>` by itself.
    pub(super) fn on_resume(&mut self, resume: &Element<'_>) {
        let refused = match read_resume(resume) {
            Some((id, handled)) if self.config.stream_management => {
                return self.ask_resume(id, handled);
            }
            Some(_) => StanzaCondition::FeatureNotImplemented,
            None => StanzaCondition::BadRequest,
        };
        let failed = failed(refused, None);
        self.link.message(|out| out.extend_from_slice(&failed));
    }

    pub(super) fn ask_resume(&mut self, id: String, handled: u32) {
        self.asked = Some(Asked::Resume(id.as_str().into(), handled));
        self.events.push_back(Event::Resume(ResumeRequest { id, handled }));
    }

    /// Answers `Resume`: the stream goes on, with its address and its counts. Then the caller
    /// sends again, in their order, the stanzas that the client has not received: those above
    /// `ledger.acknowledged(handled)`. They get the numbers that they had.
    ///
    /// # Errors
    /// Nothing was asked, or the client says that it has received more than it was sent: refuse it
    /// then.
    // XEP-0198 5, XWS-055.
    pub fn resume(&mut self, jid: &Jid, ledger: &Ledger) -> Result<(), Misuse> {
        let Some(Asked::Resume(id, handled)) = &self.asked else {
            return Err(Misuse::NothingAsked);
        };
        let acked = ledger.acknowledged(*handled).ok_or(Misuse::LedgerMismatch)?;
        let id = id.clone();
        self.asked = None;
        let managed = Managed::resumed(ledger, acked);
        let h = (ledger.taken as u32).to_string();
        let mut result = Vec::new();
        write_nonza(&mut result, "resumed", &[("previd", Some(&id)), ("h", Some(&h))], |_| {});
        self.link.manage(managed);
        self.enable_asked = true;
        self.jid = Some(jid.clone());
        self.stage = Stage::Bound;
        self.link.flows();
        if self.inline.is_some() {
            self.inline_resumed(result);
        } else {
            self.link.message(|out| out.extend_from_slice(&result));
        }
        Ok(())
    }

    /// Answers `Resume`: there is no such stream, for this user. The client may bind a resource.
    /// `taken` is the count of stanzas received on a stream that is known to have ended.
    ///
    /// # Errors
    /// Nothing was asked.
    pub fn refuse_resume(
        &mut self,
        condition: StanzaCondition,
        taken: Option<u64>,
    ) -> Result<(), Misuse> {
        if !matches!(self.asked, Some(Asked::Resume(..))) {
            return Err(Misuse::NothingAsked);
        }
        self.asked = None;
        let failed = failed(condition, taken);
        if self.inline.is_some() {
            self.inline_not_resumed(failed);
        } else {
            self.link.message(|out| out.extend_from_slice(&failed));
        }
        Ok(())
    }

    /// Responsibility is taken for all stanzas of the client up to this one. It is told when it
    /// asks. Does nothing on a stream that is not managed.
    ///
    /// # Errors
    /// No such stanza was received.
    pub fn acknowledge(&mut self, up_to: u64) -> Result<(), Misuse> {
        self.link.acknowledge(up_to)
    }

    /// What is known of the managed stream.
    #[must_use]
    pub fn ledger(&self) -> Option<Ledger> {
        self.link.ledger()
    }
}

fn failed(condition: StanzaCondition, taken: Option<u64>) -> Vec<u8> {
    let h = taken.map(|taken| (taken as u32).to_string());
    let mut out = Vec::new();
    write_nonza(&mut out, "failed", &[("h", h.as_deref())], |out| condition.write(out));
    out
}
