//! Every type of AMQP, in bodies and in properties.

use fe2o3_amqp::types::messaging::annotations::OwnedKey;
use fe2o3_amqp::types::messaging::{
    AmqpSequence, AmqpValue, ApplicationProperties, Body, Data, DeliveryAnnotations, Footer,
    Header, Message, MessageAnnotations, MessageId, Priority, Properties,
};
use fe2o3_amqp::types::primitives::{
    Array, Binary, Dec32, Dec64, Dec128, OrderedMap, SimpleValue, Symbol, Timestamp, Uuid, Value,
};

use crate::peer::{Peer, message};
use crate::{Done, World, same};

const UUID: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

fn scalars() -> Vec<SimpleValue> {
    use SimpleValue as S;
    vec![
        S::Null,
        S::Bool(true),
        S::Bool(false),
        S::Ubyte(255),
        S::Ushort(65_535),
        S::Uint(u32::MAX),
        S::Uint(0),
        S::Uint(200),
        S::Ulong(u64::MAX),
        S::Ulong(0),
        S::Ulong(200),
        S::Byte(-128),
        S::Short(-32_768),
        S::Int(i32::MIN),
        S::Int(-3),
        S::Long(i64::MIN),
        S::Long(-3),
        S::Float(1.5.into()),
        S::Double((-1e300).into()),
        S::Decimal32(Dec32::from([1, 2, 3, 4])),
        S::Decimal64(Dec64::from([1, 2, 3, 4, 5, 6, 7, 8])),
        S::Decimal128(Dec128::from(UUID)),
        S::Char('😀'),
        S::Timestamp(Timestamp::from(-1)),
        S::Uuid(Uuid::from(UUID)),
        S::Binary(Binary::from(vec![0, 255, 128])),
        S::Binary(Binary::from(vec![7; 300])),
        S::String("grüße 😀".into()),
        S::String("ü".repeat(200)),
        S::Symbol(Symbol::from("a:symbol")),
    ]
}

async fn back(
    world: &World,
    peer: &mut Peer,
    sent: Message<Body<Value>>,
) -> Done<Message<Body<Value>>> {
    let mut sender = peer.sender(world, &world.queue()).await?;
    sender.deliver(vec![sent]).await?;
    let mut receiver = peer.receiver(world, world.queue(), 1).await?;
    let taken = receiver.one().await?;
    receiver.0.accept(&taken).await?;
    receiver.close().await?;
    Ok(taken.into_message())
}

pub async fn bodies(world: &World) -> Done {
    let mut values: Vec<Value> = scalars().into_iter().map(Value::from).collect();
    values.push(Value::List(values.clone()));
    values.push(Value::List(vec![]));
    let mut map = OrderedMap::new();
    map.insert(Value::String("a".into()), Value::Uint(1));
    map.insert(Value::Symbol("b".into()), Value::List(vec![Value::Int(1)]));
    map.insert(Value::Ulong(7), Value::Null);
    values.push(Value::Map(map));
    values.push(Value::Array(Array(vec![Value::Int(1), Value::Int(-2), Value::Int(300_000)])));
    let mut sent: Vec<_> = values.into_iter().map(|each| Body::Value(AmqpValue(each))).collect();
    let data = |octets: &[u8]| Data(Binary::from(octets.to_vec()));
    sent.push(Body::Data(vec![data(b"data")].into()));
    sent.push(Body::Data(vec![data(b"a"), data(b"bc")].into()));
    let sequence =
        |number| AmqpSequence::from(vec![Value::Uint(number), Value::String("two".into())]);
    sent.push(Body::Sequence(vec![sequence(1)].into()));
    sent.push(Body::Sequence(vec![sequence(2), sequence(3)].into()));
    let mut peer = Peer::open(world).await?;
    for body in sent {
        let found = back(world, &mut peer, message(body.clone())).await?;
        same(&found.body, &body, "body")?;
    }
    Ok(())
}

fn properties_with(world: &World, id: MessageId) -> Properties {
    Properties {
        message_id: Some(id.clone()),
        user_id: Some(Binary::from(world.given("user").as_bytes().to_vec())),
        to: Some(world.queue()),
        subject: Some("a subject".into()),
        reply_to: Some("replies".into()),
        correlation_id: Some(id),
        content_type: Some("application/x-example".into()),
        content_encoding: Some("identity".into()),
        absolute_expiry_time: Some(Timestamp::from(4_102_444_800_000)),
        creation_time: Some(Timestamp::from(981_173_106_007)),
        group_id: Some("a group".into()),
        group_sequence: Some(u32::MAX),
        reply_to_group_id: Some("another group".into()),
    }
}

pub async fn properties(world: &World) -> Done {
    let ids = [
        MessageId::String("id ü".into()),
        MessageId::Ulong(u64::MAX),
        MessageId::Uuid(Uuid::from(UUID)),
        MessageId::Binary(Binary::from(vec![0, 1, 255])),
    ];
    let mut peer = Peer::open(world).await?;
    for id in ids {
        let mut sent = message(Body::Value(AmqpValue(Value::String("x".into()))));
        sent.header = Some(Header { durable: true, priority: Priority(7), ..Header::default() });
        let gone = OwnedKey::from("x-opt-gone");
        sent.delivery_annotations =
            Some(DeliveryAnnotations::builder().insert(gone.clone(), "x").build());
        let key = OwnedKey::from("x-opt-string");
        sent.message_annotations =
            Some(MessageAnnotations::builder().insert(key.clone(), "ü").build());
        sent.properties = Some(properties_with(world, id));
        let mut named = ApplicationProperties::builder();
        for (at, value) in scalars().into_iter().enumerate() {
            named = named.insert(format!("property {at}"), value);
        }
        sent.application_properties = Some(named.build());
        sent.footer = Some(Footer::builder().insert("x-opt-foot", "end").build());
        let found = back(world, &mut peer, sent.clone()).await?;
        same(&found.properties, &sent.properties, "properties")?;
        same(
            &found.application_properties,
            &sent.application_properties,
            "application properties",
        )?;
        same(&found.body, &sent.body, "body")?;
        same(&found.footer, &sent.footer, "footer")?;
        let header = found.header.unwrap_or_default();
        same(&(header.durable, header.priority), &(true, Priority(7)), "header")?;
        let annotations = found.message_annotations.unwrap_or_default();
        same(&annotations.get(&key), &Some(&Value::String("ü".into())), "annotation")?;
        let annotations = found.delivery_annotations.unwrap_or_default();
        same(&annotations.get(&gone), &None, "delivery annotations go no further")?;
    }
    Ok(())
}
