package client;

import static client.World.check;
import static client.World.one;
import static client.World.same;

import jakarta.jms.BytesMessage;
import jakarta.jms.DeliveryMode;
import jakarta.jms.JMSException;
import jakarta.jms.MapMessage;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.ObjectMessage;
import jakarta.jms.Session;
import jakarta.jms.StreamMessage;
import jakarta.jms.TextMessage;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The kinds of body and property that JMS has. */
final class Typed {
    private Typed() {}

    private static Map<String, Object> values() {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("boolean", true);
        values.put("byte", (byte) -128);
        values.put("short", (short) -32_768);
        values.put("int", Integer.MIN_VALUE);
        values.put("long", Long.MIN_VALUE);
        values.put("float", 1.5f);
        values.put("double", -1e300);
        values.put("string", "grüße 😀");
        values.put("empty", "");
        return values;
    }

    private static Message back(World.Peer peer, Message sent) throws Exception {
        peer.deliver(peer.queue(), List.of(sent));
        try (MessageConsumer consumer = peer.consumer()) {
            Message found = one(consumer);
            found.acknowledge();
            return found;
        }
    }

    static void bodies(World world) throws Exception {
        World.Peer peer = world.peer(1);
        Session session = peer.session;
        for (String text : new String[] {"grüße 😀", "", null}) {
            same(((TextMessage) back(peer, session.createTextMessage(text))).getText(), text, "text");
        }
        BytesMessage bytes = session.createBytesMessage();
        byte[] octets = {0, -1, 127, -128};
        bytes.writeBytes(octets);
        byte[] found = new byte[4];
        same(((BytesMessage) back(peer, bytes)).readBytes(found), 4, "octets read");
        check(Arrays.equals(found, octets), "octets");
        MapMessage map = session.createMapMessage();
        for (Map.Entry<String, Object> each : values().entrySet()) {
            map.setObject(each.getKey(), each.getValue());
        }
        map.setBytes("bytes", octets);
        MapMessage mapped = (MapMessage) back(peer, map);
        for (Map.Entry<String, Object> each : values().entrySet()) {
            same(mapped.getObject(each.getKey()), each.getValue(), "in a map: " + each.getKey());
        }
        check(Arrays.equals(mapped.getBytes("bytes"), octets), "octets in a map");
        StreamMessage stream = session.createStreamMessage();
        for (Object each : values().values()) {
            stream.writeObject(each);
        }
        StreamMessage streamed = (StreamMessage) back(peer, stream);
        for (Object each : values().values()) {
            same(streamed.readObject(), each, "in a stream");
        }
        ObjectMessage object = session.createObjectMessage(new java.util.ArrayList<>(List.of(1, "two")));
        same(((ObjectMessage) back(peer, object)).getObject(), List.of(1, "two"), "an object");
        back(peer, session.createMessage());
    }

    private static Message filled(World.Peer peer) throws JMSException {
        Message sent = peer.session.createTextMessage("x");
        for (Map.Entry<String, Object> each : values().entrySet()) {
            sent.setObjectProperty(each.getKey(), each.getValue());
        }
        sent.setJMSCorrelationID("a correlation");
        sent.setJMSType("a type");
        sent.setJMSReplyTo(peer.session.createQueue("replies"));
        sent.setStringProperty("JMSXGroupID", "a group");
        sent.setIntProperty("JMSXGroupSeq", 7);
        sent.setStringProperty("JMS_AMQP_REPLY_TO_GROUP_ID", "another group");
        return sent;
    }

    static void properties(World world) throws Exception {
        World.Peer peer = world.peer(1);
        Message sent = filled(peer);
        MessageProducer producer = peer.session.createProducer(peer.queue());
        producer.send(sent, DeliveryMode.PERSISTENT, 7, 3_600_000);
        Message found = one(peer.consumer());
        for (Map.Entry<String, Object> each : values().entrySet()) {
            same(found.getObjectProperty(each.getKey()), each.getValue(), each.getKey());
        }
        same(found.getJMSMessageID(), sent.getJMSMessageID(), "message-id");
        same(found.getJMSCorrelationID(), "a correlation", "correlation-id");
        same(found.getJMSType(), "a type", "subject");
        same(found.getJMSReplyTo(), sent.getJMSReplyTo(), "reply-to");
        same(found.getJMSDestination(), peer.queue(), "to");
        same(found.getJMSTimestamp(), sent.getJMSTimestamp(), "creation-time");
        same(found.getJMSExpiration(), sent.getJMSExpiration(), "absolute-expiry-time");
        same(found.getJMSPriority(), 7, "priority");
        same(found.getJMSDeliveryMode(), DeliveryMode.PERSISTENT, "durable");
        same(found.getStringProperty("JMSXGroupID"), "a group", "group-id");
        same(found.getIntProperty("JMSXGroupSeq"), 7, "group-sequence");
        same(found.getStringProperty("JMS_AMQP_REPLY_TO_GROUP_ID"), "another group", "reply-to-group-id");
        found.acknowledge();
    }
}
