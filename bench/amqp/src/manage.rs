//! Queues of RabbitMQ, by its management node: a pair of links and requests like those of HTTP.

use crate::Failure;
use crate::target::Target;
use crate::wire::{Buffer, LinkWish, Wire};
use bytes::Bytes;
use wharf_amqp::codec::Composite;
use wharf_amqp::engine::{Event, LinkId, OutgoingDelivery};
use wharf_amqp::messaging::{MessageId, Properties, Sections, append_value};
use wharf_amqp::tag::Tag;
use wharf_amqp::value::Value;

/// Links of one name, one each way.
pub struct Management {
    wire: Wire,
    buffer: Buffer,
    sender: LinkId,
    asked: u64,
}

impl Management {
    /// Connects to the management node.
    pub fn connect(target: &Target) -> Result<Self, Failure> {
        let mut buffer = Buffer::default();
        let (mut wire, session) = Wire::connect(target, "load-management", &mut buffer)?;
        let wish = |sends| LinkWish {
            name: "management",
            address: "/management",
            sends,
            settled: true,
            properties: vec![("paired".to_owned(), Value::Bool(true))],
        };
        let sender = wire.attach(session, &wish(true), &mut buffer)?;
        let receiver = wire.attach(session, &wish(false), &mut buffer)?;
        wire.engine.grant(receiver, 100, false)?;
        Ok(Self { wire, buffer, sender, asked: 0 })
    }

    /// Makes a durable queue; `kind` is classic or quorum.
    pub fn declare(&mut self, queue: &str, kind: &str) -> Result<(), Failure> {
        let text = |text: &str| Value::String(text.to_owned());
        let arguments = Value::Map(vec![(text("x-queue-type"), text(kind))]);
        let body =
            Value::Map(vec![(text("durable"), Value::Bool(true)), (text("arguments"), arguments)]);
        self.ask("PUT", queue, &body)
    }

    /// Deletes a queue.
    pub fn delete(&mut self, queue: &str) -> Result<(), Failure> {
        self.ask("DELETE", queue, &Value::Null)
    }

    /// Ends the connection.
    pub fn close(mut self) -> Result<(), Failure> {
        self.wire.close(&mut self.buffer)
    }

    fn ask(&mut self, method: &str, queue: &str, body: &Value) -> Result<(), Failure> {
        self.asked += 1;
        let mut message = Vec::new();
        Properties {
            message_id: Some(MessageId::Ulong(self.asked)),
            to: Some(format!("/queues/{queue}")),
            subject: Some(method.to_owned()),
            reply_to: Some("$me".to_owned()),
            ..Properties::default()
        }
        .encode(&mut message);
        append_value(&mut message, body);
        let request = OutgoingDelivery {
            cookie: self.asked,
            tag: Tag::from(self.asked),
            message_format: 0,
            settled: true,
            payload: [Bytes::new(), Bytes::from(message)],
        };
        self.wire.engine.deliver(self.sender, request)?;
        self.wire.step(&mut self.buffer, |_, event| match event {
            Event::Transferred(answer) => {
                let sections = Sections::scan(&answer.payload)?;
                let properties = sections.decode_properties(&answer.payload)?.unwrap_or_default();
                let status = properties.subject.unwrap_or_default();
                if status.starts_with('2') {
                    return Ok(true);
                }
                let why = sections.body.map(|body| body.value(&answer.payload));
                Err(format!("{method} of {queue}: {status} {why:?}").into())
            }
            Event::Credit(..) | Event::Outcome(..) => Ok(false),
            other => Err(format!("{method} of {queue}: {other:?}").into()),
        })
    }
}
