//! What an engine of AMQP sends, judged by someone who reads nothing but that: headers, frames and
//! handles in the order of the standard (AMQP 2.2 to 2.7).

use std::collections::BTreeMap;
use wharf_amqp::frame::{FrameHeader, FrameType, ProtocolHeader};
use wharf_amqp::performative::{Performative, Role};
use wharf_amqp::sasl_frame::SaslFrame;

/// What was sent so far.
#[derive(Debug)]
pub(crate) struct Watch {
    header: Option<ProtocolHeader>,
    opened: bool,
    closed: bool,
    frame_max: u32,
    sessions: BTreeMap<u16, Session>,
}

#[derive(Debug, Default)]
struct Session {
    /// The role of each link, and whether a delivery is under way.
    links: BTreeMap<u32, (Role, bool)>,
    next_delivery: u32,
}

impl Default for Watch {
    fn default() -> Self {
        let sessions = BTreeMap::new();
        Watch { header: None, opened: false, closed: false, frame_max: 512, sessions }
    }
}

impl Watch {
    /// The largest frame from now on.
    pub(crate) fn frame_max(&mut self, frame_max: u32) {
        self.frame_max = frame_max;
    }

    /// One unit: a header, or frames.
    pub(crate) fn unit(&mut self, mut unit: &[u8]) {
        if unit.starts_with(b"AMQP") {
            let header = ProtocolHeader::parse(unit).expect("a header").expect("a whole one");
            assert_eq!(unit.len(), 8, "a header shares its unit");
            // AMQP 5.3: SASL comes before AMQP, and each but once; or it is said what would do.
            assert_ne!(self.header, Some(ProtocolHeader::AMQP));
            self.header = Some(header);
            return;
        }
        while !unit.is_empty() {
            let header = FrameHeader::parse(unit).expect("a frame").expect("with its header");
            let (frame, rest) = unit.split_at(header.size as usize);
            unit = rest;
            let body = &frame[header.body_start()..];
            match header.frame_type {
                FrameType::Sasl => {
                    assert_eq!(self.header, Some(ProtocolHeader::SASL));
                    assert!(header.size <= 512);
                    SaslFrame::decode(body).expect("a frame of SASL");
                }
                FrameType::Amqp => self.frame(&header, body),
            }
        }
    }

    fn frame(&mut self, header: &FrameHeader, body: &[u8]) {
        assert_eq!(self.header, Some(ProtocolHeader::AMQP));
        // AMQP 2.7.9: "no more frames".
        assert!(!self.closed, "a frame after close");
        assert!(header.size <= self.frame_max, "{} > {}", header.size, self.frame_max);
        if body.is_empty() {
            assert!(self.opened);
            return;
        }
        let (performative, used) = Performative::decode(body).expect("a performative");
        let payload = &body[used..];
        assert!(payload.is_empty() || matches!(performative, Performative::Transfer(_)));
        match performative {
            Performative::Open(_) => {
                assert!(!std::mem::replace(&mut self.opened, true) && header.channel == 0);
            }
            _ if !self.opened => panic!("before open: {performative:?}"),
            Performative::Close(_) => self.closed = true,
            Performative::Begin(_) => {
                let before = self.sessions.insert(header.channel, Session::default());
                assert!(before.is_none(), "the channel is in use");
            }
            Performative::End(_) => {
                assert!(self.sessions.remove(&header.channel).is_some(), "end of nothing");
            }
            other => {
                let session = self.sessions.get_mut(&header.channel).expect("a session");
                session.frame(other);
            }
        }
    }
}

impl Session {
    fn frame(&mut self, performative: Performative) {
        match performative {
            Performative::Attach(attach) => {
                let before = self.links.insert(attach.handle, (attach.role, false));
                assert!(before.is_none(), "the handle is in use");
                assert_eq!(attach.initial_delivery_count.is_some(), attach.role == Role::Sender);
            }
            Performative::Detach(detach) => {
                assert!(self.links.remove(&detach.handle).is_some(), "detach of nothing");
            }
            Performative::Flow(flow) => match flow.handle {
                Some(handle) => assert!(self.links.contains_key(&handle), "flow of nothing"),
                None => assert!(flow.delivery_count.is_none() && flow.link_credit.is_none()),
            },
            Performative::Transfer(transfer) => {
                let link = self.links.get_mut(&transfer.handle).expect("a link");
                assert_eq!(link.0, Role::Sender);
                let first = !std::mem::replace(&mut link.1, transfer.more);
                assert_eq!(transfer.delivery_id.is_some(), first);
                assert_eq!(transfer.delivery_tag.is_some(), first);
                if let Some(id) = transfer.delivery_id {
                    assert_eq!(id, self.next_delivery);
                    self.next_delivery += 1;
                }
            }
            Performative::Disposition(it) => assert!(it.last.is_none_or(|last| last != it.first)),
            other => panic!("not of a session: {other:?}"),
        }
    }
}
