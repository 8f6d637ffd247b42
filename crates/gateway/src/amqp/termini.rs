//! What an attach asks for, what it is answered, and refusals as error conditions (AMQP 2.6.3,
//! 3.5.3, 3.5.4).

use super::links::{End, Link};
use super::receiving::Producer;
use super::sending::Consumer;
use super::{Face, error};
use crate::people::person;
use crate::request::Requests;
use std::sync::Arc;
use wharf_amqp::condition::{Condition, Error};
use wharf_amqp::engine::{AttachAnswer, LinkId};
use wharf_amqp::messaging::{
    DistributionMode, LifetimePolicy, Source, Target, TargetArchetype, TerminusDurability,
    TerminusExpiryPolicy,
};
use wharf_amqp::performative::{Attach, Role, SenderSettleMode};
use wharf_amqp::value::Fields;
use wharf_broker::{
    AddressKind, Command, ConsumerId, Credit, DYNAMIC_PREFIX, Lifetime, Mode, Refusal,
};

/// Capabilities of a terminus that choose what a new address becomes.
const QUEUE: &str = "queue";
const TOPIC: &str = "topic";

/// Outcomes every source here has.
const OUTCOMES: [&str; 4] =
    ["amqp:accepted:list", "amqp:rejected:list", "amqp:released:list", "amqp:modified:list"];

/// Why a link is refused at once.
type Refused = Box<Error>;

fn refused(condition: Condition, why: &str) -> Refused {
    Box::new(error(condition, why))
}

impl Face {
    /// The client asks for a link.
    pub(super) fn attach(&mut self, id: LinkId, mut attach: Box<Attach>, commands: &mut Requests) {
        let name = self.links.next_name();
        let end = match attach.role {
            Role::Sender => self.ask_to_send(name, &mut attach, commands),
            Role::Receiver => self.ask_to_receive(name, &mut attach, commands),
        };
        let end = match end {
            Ok(end) => end,
            Err(error) => {
                let _ = self.engine.refuse_attach(id, &attach, *error);
                return;
            }
        };
        let judged_later = matches!(&end, End::Producer(producer) if !producer.is_resolved());
        self.links.insert(id, Link { name, asked: Some(attach), end });
        if judged_later {
            self.resolved(name);
        }
    }

    fn ask_to_send(
        &self,
        name: ConsumerId,
        attach: &mut Attach,
        commands: &mut Requests,
    ) -> Result<End, Refused> {
        let target = match &mut attach.target {
            Some(TargetArchetype::Target(target)) => target,
            Some(TargetArchetype::Coordinator(_)) => {
                return Err(refused(Condition::NotImplemented, "there are no transactions here"));
            }
            None => return Err(refused(Condition::InvalidField, "the target is missing")),
        };
        let kind = kind_of(&target.capabilities);
        if target.dynamic {
            let address = self.dynamic_address(name);
            target.address = Some(address.clone());
            commands.push_back(create(name, address, kind, &target.dynamic_node_properties));
        } else if let Some(address) = target.address.clone().filter(|one| person(one).is_none()) {
            self.is_here(&address)?;
            commands.push_back(Command::Resolve { consumer: name, address, kind });
        }
        let to = target.address.clone().map(|address| Arc::from([address]));
        Ok(End::Producer(Producer::new(to)))
    }

    fn ask_to_receive(
        &self,
        name: ConsumerId,
        attach: &mut Attach,
        commands: &mut Requests,
    ) -> Result<End, Refused> {
        let subscription = format!("{}/{}", self.container, attach.name);
        let Some(source) = &mut attach.source else {
            // AMQP 2.6.3: the link is known by its name, and the source is asked for. So JMS ends
            // a durable subscription.
            commands
                .push_back(Command::Recall { consumer: name, subscription: subscription.clone() });
            return Ok(End::Consumer(Consumer::new(String::new(), Some(subscription))));
        };
        let kind = kind_of(&source.capabilities);
        if source.dynamic {
            let address = self.dynamic_address(name);
            source.address = Some(address.clone());
            commands.push_back(create(name, address, kind, &source.dynamic_node_properties));
        }
        let Some(address) = source.address.clone() else {
            return Err(refused(Condition::InvalidField, "the source has no address"));
        };
        self.is_here(&address)?;
        // AMQP 2.6.1: containers and name together name the link, and so its subscription.
        let durable = source.durable != TerminusDurability::None
            || source.expiry_policy == TerminusExpiryPolicy::Never;
        let durable = durable && !source.dynamic && kind != Some(AddressKind::Queue);
        let subscription = durable.then_some(subscription);
        let mut consumer = Consumer::new(address, subscription);
        consumer.settled = attach.snd_settle_mode == SenderSettleMode::Settled;
        // A subscription is this client's own: JMS asks for copies of a topic's messages, and what
        // it accepts is not to come again.
        consumer.copies = is_browsed(source) && consumer.subscription.is_none();
        consumer.default_outcome.clone_from(&source.default_outcome);
        consumer.message_size_max_bytes = attach.max_message_size.unwrap_or(0);
        commands.push_back(consume(name, &consumer, kind));
        Ok(End::Consumer(consumer))
    }

    /// The client may send.
    pub(super) fn resolved(&mut self, name: ConsumerId) {
        let Some(id) = self.links.named(name) else { return };
        let Some(link) = self.links.get_mut(id) else { return };
        // A dynamic source has its `Consuming` to come.
        if !matches!(link.end, End::Producer(_)) {
            return;
        }
        let Some(asked) = link.asked.take() else { return };
        let target = match asked.target {
            Some(TargetArchetype::Target(target)) => Some(actual_target(target)),
            _ => None,
        };
        let answer = AttachAnswer {
            source: asked.source,
            target: target.map(TargetArchetype::Target),
            message_size_max_bytes: self.config.message_size_max_bytes as u64,
            ..AttachAnswer::default()
        };
        if self.engine.accept_attach(id, answer).is_ok() {
            self.top_up(id);
        }
    }

    /// The client may receive.
    pub(super) fn granted(&mut self, name: ConsumerId, address: String, commands: &mut Requests) {
        let Some(id) = self.links.named(name) else { return };
        let Some(link) = self.links.get_mut(id) else { return };
        let Some(asked) = link.asked.take() else { return };
        let source = asked.source.unwrap_or_else(|| {
            if let End::Consumer(consumer) = &mut link.end {
                consumer.address.clone_from(&address);
            }
            recalled_source(address)
        });
        let answer = AttachAnswer {
            source: Some(actual_source(source)),
            target: asked.target,
            ..AttachAnswer::default()
        };
        if self.engine.accept_attach(id, answer).is_ok() {
            self.begin_consuming(id, commands);
        }
    }

    /// The broker does not grant what was asked.
    pub(super) fn refused(&mut self, name: ConsumerId, refusal: Refusal, commands: &mut Requests) {
        let Some(id) = self.links.named(name) else { return };
        let Some(link) = self.links.get_mut(id) else { return };
        if refusal == Refusal::NotATopic
            && let End::Consumer(consumer) = &mut link.end
            && consumer.subscription.take().is_some()
        {
            // A queue keeps its messages anyway: durable or not is all the same.
            let source = link.asked.as_ref().and_then(|asked| asked.source.as_ref());
            consumer.copies = source.is_some_and(is_browsed);
            commands.push_back(consume(name, consumer, None));
            return;
        }
        let Some(link) = self.links.remove(id) else { return };
        if let Some(asked) = link.asked {
            let error = error(condition_of(refusal), refusal.to_string());
            let _ = self.engine.refuse_attach(id, &asked, error);
        }
    }

    /// The address was deleted.
    pub(super) fn gone(&mut self, name: ConsumerId) {
        let Some(id) = self.links.named(name) else { return };
        let Some(link) = self.links.remove(id) else { return };
        let error = error(Condition::ResourceDeleted, "the address was deleted");
        match link.asked {
            Some(asked) => {
                let _ = self.engine.refuse_attach(id, &asked, error);
            }
            None => {
                let _ = self.engine.detach(id, true, Some(error));
            }
        }
    }

    /// The link is gone at the client's end.
    pub(super) fn detached(&mut self, id: LinkId, closed: bool, commands: &mut Requests) {
        let Some(link) = self.links.remove(id) else { return };
        commands.push_back(match link.end {
            End::Producer(_) => Command::Leave { consumer: link.name },
            End::Consumer(Consumer { address, subscription, .. }) => {
                // AMQP 2.6.6: closed for good.
                let forget = closed && subscription.is_some();
                Command::Cancel { seq: None, consumer: link.name, address, subscription, forget }
            }
        });
    }

    /// Whether an address is served here.
    fn is_here(&self, address: &str) -> Result<(), Refused> {
        match self.redirects.address(&self.config.locations, address) {
            Some(error) => Err(Box::new(error)),
            None => Ok(()),
        }
    }

    // AMQP 3.5.3: the name is generated here.
    fn dynamic_address(&self, name: ConsumerId) -> String {
        let unique = self.caller.name.rsplit(':').next().unwrap_or_default();
        format!("{DYNAMIC_PREFIX}{unique}-{}", name.0)
    }
}

fn consume(name: ConsumerId, consumer: &Consumer, kind: Option<AddressKind>) -> Command {
    Command::Consume {
        seq: None,
        consumer: name,
        address: consumer.address.clone(),
        subscription: consumer.subscription.clone(),
        kind,
        credit: Credit::Limit,
        mode: if consumer.copies { Mode::Copy } else { Mode::Move },
    }
}

fn create(
    name: ConsumerId,
    address: String,
    kind: Option<AddressKind>,
    properties: &Fields,
) -> Command {
    let asked = properties.iter().find(|(key, _)| key == "lifetime-policy");
    let policy = asked.and_then(|(_, value)| LifetimePolicy::from_value(value));
    // AMQP 3.5.9: delete-on-close where nothing is asked.
    let lifetime = match policy.unwrap_or(LifetimePolicy::DeleteOnClose) {
        LifetimePolicy::DeleteOnClose => Lifetime::DeleteOnClose,
        LifetimePolicy::DeleteOnNoLinks => Lifetime::DeleteOnNoLinks,
        LifetimePolicy::DeleteOnNoMessages => Lifetime::DeleteOnNoMessages,
        LifetimePolicy::DeleteOnNoLinksOrMessages => Lifetime::DeleteOnNoLinksOrMessages,
    };
    let kind = kind.unwrap_or(AddressKind::Queue);
    Command::Create { consumer: name, address, kind, lifetime }
}

/// What the capabilities of a terminus make of a new address. The names with a prefix are those
/// of JMS clients.
fn kind_of(capabilities: &[String]) -> Option<AddressKind> {
    capabilities.iter().find_map(|capability| match capability.as_str() {
        QUEUE | "temporary-queue" => Some(AddressKind::Queue),
        TOPIC | "temporary-topic" => Some(AddressKind::Topic),
        _ => None,
    })
}

/// The target as it is.
fn actual_target(target: Target) -> Target {
    Target { durable: TerminusDurability::None, ..target }
}

/// The source of a durable subscription that was asked for by its name.
fn recalled_source(address: String) -> Source {
    Source {
        address: Some(address),
        durable: TerminusDurability::UnsettledState,
        expiry_policy: TerminusExpiryPolicy::Never,
        capabilities: vec![TOPIC.to_owned()],
        ..Source::default()
    }
}

fn is_browsed(source: &Source) -> bool {
    source.distribution_mode == Some(DistributionMode::Copy)
}

/// The source as it is: filters that are not applied are not named (AMQP 3.5.8).
fn actual_source(source: Source) -> Source {
    let mode = if is_browsed(&source) { DistributionMode::Copy } else { DistributionMode::Move };
    Source {
        distribution_mode: Some(mode),
        filter: Fields::new(),
        outcomes: OUTCOMES.map(str::to_owned).to_vec(),
        ..source
    }
}

fn condition_of(refusal: Refusal) -> Condition {
    match refusal {
        Refusal::InvalidAddress => Condition::InvalidField,
        Refusal::NotPermitted => Condition::UnauthorizedAccess,
        Refusal::TooManyConsumers | Refusal::TooManySenders => Condition::ResourceLimitExceeded,
        Refusal::NotATopic | Refusal::WrongKind => Condition::NotAllowed,
        Refusal::UnknownAddress => Condition::NotFound,
        Refusal::Exists => Condition::ResourceLocked,
    }
}
