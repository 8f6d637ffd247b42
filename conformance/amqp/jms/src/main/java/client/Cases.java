package client;

import static client.World.check;
import static client.World.count;
import static client.World.one;
import static client.World.same;
import static client.World.text;

import jakarta.jms.BytesMessage;
import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import jakarta.jms.JMSSecurityException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Queue;
import jakarta.jms.QueueBrowser;
import jakarta.jms.Session;
import jakarta.jms.TemporaryQueue;
import jakarta.jms.TextMessage;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What an AMQP client can rely on, as far as JMS can say it. */
final class Cases {
    private static final String OUTCOME = "JMS_AMQP_ACK_TYPE";
    private static final int REJECTED = 2;
    private static final int RELEASED = 3;
    private static final int FAILED = 4;
    private static final int FAILED_UNDELIVERABLE = 5;

    private Cases() {}

    static Map<String, Case> all() {
        Map<String, Case> cases = new LinkedHashMap<>();
        cases.put("connect", world -> world.peer(10).connection.close());
        cases.put("wrong-password", Cases::wrongPassword);
        cases.put("scram", world -> login(world, "SCRAM-SHA-256", world.given.get("password")).start());
        cases.put("anonymous", Cases::anonymous);
        cases.put("thousand", Cases::thousand);
        cases.put("accepted", Cases::accepted);
        cases.put("released", Cases::released);
        cases.put("rejected", Cases::rejected);
        cases.put("modified-failed", Cases::modifiedFailed);
        cases.put("modified-undeliverable", Cases::modifiedUndeliverable);
        cases.put("presettled-send", Cases::presettledSend);
        cases.put("presettled-receive", Cases::presettledReceive);
        cases.put("settle-second", world -> {
            throw new World.Skip("Qpid JMS settles first always");
        });
        cases.put("credit", Cases::credit);
        cases.put("drain", Cases::drain);
        cases.put("browse", Cases::browse);
        cases.put("topic", Cases::topic);
        cases.put("topic-durable", Cases::topicDurable);
        cases.put("dynamic-node", Cases::dynamicNode);
        cases.put("anonymous-terminus", Cases::anonymousTerminus);
        cases.put("large-1mib", world -> large(world, 1 << 20));
        cases.put("large", world -> large(world, Integer.parseInt(world.given.get("large"))));
        cases.put("body-types", Typed::bodies);
        cases.put("property-types", Typed::properties);
        cases.put("forbidden", Cases::forbidden);
        cases.put("heartbeat", Cases::heartbeat);
        cases.put("cut", Recovery::cut);
        cases.put("kill", Recovery::kill);
        cases.put("redirect", Recovery::redirect);
        return cases;
    }

    private static void refused(Case act, World world) throws Exception {
        try {
            act.run(world);
        } catch (JMSSecurityException wanted) {
            return;
        }
        throw new AssertionError("it was not refused");
    }

    private static Connection login(World world, String mechanism, String password) throws JMSException {
        String options = "amqp.saslMechanisms=" + mechanism;
        return world.connect(World.uri(world.given.get("url"), options), world.given.get("user"), password);
    }

    private static void wrongPassword(World world) throws Exception {
        refused(each -> login(each, "PLAIN", "not " + each.given.get("password")).start(), world);
    }

    private static void anonymous(World world) throws Exception {
        world.needs("anonymous");
        world.connect(World.uri(world.given.get("url"), "amqp.saslMechanisms=ANONYMOUS"), null, null).start();
    }

    private static void thousand(World world) throws Exception {
        World.Peer sending = world.peer(10);
        World.Peer taking = world.peer(50);
        MessageConsumer consumer = taking.consumer();
        List<String> wanted = new ArrayList<>();
        for (int at = 0; at < Integer.parseInt(world.given.get("messages")); at++) {
            wanted.add(at + ":" + "x".repeat(at % 300));
        }
        sending.texts(sending.queue(), wanted.toArray(String[]::new));
        List<String> found = new ArrayList<>();
        while (found.size() < wanted.size()) {
            Message next = one(consumer);
            found.add(((TextMessage) next).getText());
            next.acknowledge();
        }
        same(found, wanted, "bodies");
        consumer.close();
        same(world.peer(0).left(), List.of(), "left over");
    }

    /** Takes the one message that it sends, and settles it so. */
    private static MessageConsumer settled(World world, World.Peer peer, int outcome) throws Exception {
        peer.texts(peer.queue(), "one");
        MessageConsumer consumer = peer.consumer();
        Message taken = one(consumer);
        same(((TextMessage) taken).getText(), "one", "first delivery");
        same(count(taken), 0, "delivery-count of the first delivery");
        settle(taken, outcome);
        return consumer;
    }

    private static void settle(Message message, int outcome) throws JMSException {
        message.setIntProperty(OUTCOME, outcome);
        message.acknowledge();
    }

    private static void accepted(World world) throws Exception {
        World.Peer peer = world.peer(10);
        settled(world, peer, 1).close();
        same(world.peer(0).left(), List.of(), "after accepting");
    }

    private static void released(World world) throws Exception {
        Message again = one(settled(world, world.peer(10), RELEASED));
        same(count(again), 0, "delivery-count (released is no failure)");
        again.acknowledge();
    }

    private static void rejected(World world) throws Exception {
        world.needs("dead-letter");
        World.Peer peer = world.peer(1);
        String body = world.unique("rejected");
        peer.texts(peer.queue(), body);
        try (MessageConsumer consumer = peer.consumer()) {
            settle(one(consumer), REJECTED);
        }
        MessageConsumer letters = peer.session.createConsumer(peer.session.createQueue(world.given.get("dead-letter")));
        for (String found = ""; !found.equals(body); ) {
            Message letter = one(letters);
            // Others send there too, and not always text.
            found = letter instanceof TextMessage ? ((TextMessage) letter).getText() : "";
            letter.acknowledge();
        }
        same(world.peer(0).left(), List.of(), "the rejected one comes again");
    }

    private static void modifiedFailed(World world) throws Exception {
        MessageConsumer consumer = settled(world, world.peer(10), FAILED);
        Message again = one(consumer);
        same(count(again), 1, "delivery-count");
        check(again.getJMSRedelivered(), "JMSRedelivered");
        settle(again, FAILED);
        again = one(consumer);
        same(count(again), 2, "delivery-count");
        again.acknowledge();
    }

    private static void modifiedUndeliverable(World world) throws Exception {
        World.Peer peer = world.peer(10);
        MessageConsumer consumer = settled(world, peer, FAILED_UNDELIVERABLE);
        peer.texts(peer.queue(), "two");
        same(text(consumer), "two", "what the link that cannot have it gets");
        Message other = one(world.peer(10).consumer());
        same(((TextMessage) other).getText(), "one", "what another link gets");
    }

    private static void presettledSend(World world) throws Exception {
        World.Peer peer = world.peer(10, "jms.presettlePolicy.presettleProducers=true");
        MessageConsumer consumer = world.peer(100).consumer();
        for (int at = 0; at < 50; at++) {
            peer.session.createProducer(peer.queue()).send(peer.session.createTextMessage("" + at));
        }
        for (int at = 0; at < 50; at++) {
            same(text(consumer), "" + at, "body");
        }
    }

    private static void presettledReceive(World world) throws Exception {
        World.Peer peer = world.peer(10, "jms.presettlePolicy.presettleConsumers=true");
        MessageConsumer consumer = peer.consumer();
        peer.texts(peer.queue(), "one", "two");
        same(List.of(text(consumer), text(consumer)), List.of("one", "two"), "bodies");
        // Nothing is acknowledged: what was sent settled is gone all the same.
        consumer.close();
        same(world.peer(0).left(), List.of(), "after closing");
    }

    private static void credit(World world) throws Exception {
        World.Peer peer = world.peer(3);
        MessageConsumer few = peer.consumer();
        peer.texts(peer.queue(), "a", "b", "c");
        World.Peer other = world.peer(100);
        MessageConsumer many = other.consumer();
        peer.texts(peer.queue(), "d", "e", "f", "g");
        // The credit of 3 is used up: the rest is for the other.
        for (String each : List.of("d", "e", "f", "g")) {
            same(text(many), each, "beyond the credit of another");
        }
        for (String each : List.of("a", "b", "c")) {
            same(text(few), each, "within the credit");
        }
    }

    private static void drain(World world) throws Exception {
        World.Peer peer = world.peer(0);
        MessageConsumer consumer = peer.consumer();
        check(consumer.receiveNoWait() == null, "an empty queue, drained");
        peer.texts(peer.queue(), "a", "b");
        for (String each : List.of("a", "b")) {
            TextMessage next = (TextMessage) consumer.receiveNoWait();
            check(next != null, "nothing, though " + each + " is in the queue");
            same(next.getText(), each, "drained");
            next.acknowledge();
        }
        check(consumer.receiveNoWait() == null, "an emptied queue, drained");
    }

    private static void browse(World world) throws Exception {
        World.Peer peer = world.peer(10);
        peer.texts(peer.queue(), "a", "b", "c");
        for (String time : List.of("once", "twice")) {
            List<String> seen = new ArrayList<>();
            try (QueueBrowser browser = peer.session.createBrowser(peer.queue())) {
                for (Object each : Collections.list(browser.getEnumeration())) {
                    seen.add(((TextMessage) each).getText());
                }
            }
            same(seen, List.of("a", "b", "c"), "browsed " + time);
        }
        same(world.peer(0).left(), List.of("a", "b", "c"), "taken after browsing");
    }

    private static void topic(World world) throws Exception {
        World.Peer one = world.peer(10);
        World.Peer two = world.peer(10);
        List<MessageConsumer> consumers =
                List.of(one.session.createConsumer(one.topic()), two.session.createConsumer(two.topic()));
        one.texts(one.topic(), "a", "b");
        for (MessageConsumer each : consumers) {
            same(List.of(text(each), text(each)), List.of("a", "b"), "each subscriber");
        }
    }

    private static void topicDurable(World world) throws Exception {
        World.Peer sending = world.peer(10);
        String client = "jms.clientID=" + world.unique("client");
        World.Peer peer = world.peer(10, client);
        MessageConsumer consumer = peer.session.createDurableConsumer(peer.topic(), "kept");
        sending.texts(sending.topic(), "a");
        Message first = one(consumer);
        first.acknowledge();
        consumer.close();
        peer.connection.close();
        sending.texts(sending.topic(), "b", "c");
        peer = world.peer(10, client);
        consumer = peer.session.createDurableConsumer(peer.topic(), "kept");
        for (String each : List.of("b", "c")) {
            TextMessage next = (TextMessage) one(consumer);
            same(next.getText(), each, "kept while away");
            next.acknowledge();
        }
        consumer.close();
        peer.session.unsubscribe("kept");
        sending.texts(sending.topic(), "d");
        peer.connection.close();
        peer = world.peer(0, client);
        consumer = peer.session.createDurableConsumer(peer.topic(), "kept");
        check(consumer.receiveNoWait() == null, "a message for a subscription that was ended");
    }

    private static void dynamicNode(World world) throws Exception {
        World.Peer asking = world.peer(10);
        World.Peer answering = world.peer(10);
        TemporaryQueue replies = asking.session.createTemporaryQueue();
        MessageConsumer consumer = asking.session.createConsumer(replies);
        Message request = asking.session.createTextMessage("ping");
        request.setJMSReplyTo(replies);
        request.setJMSCorrelationID("7");
        asking.deliver(asking.queue(), List.of(request));
        Message asked = one(answering.consumer());
        asked.acknowledge();
        Message answer = answering.session.createTextMessage("pong");
        answer.setJMSCorrelationID(asked.getJMSCorrelationID());
        answering.deliver(asked.getJMSReplyTo(), List.of(answer));
        TextMessage reply = (TextMessage) one(consumer);
        same(List.of(reply.getText(), reply.getJMSCorrelationID()), List.of("pong", "7"), "reply");
        consumer.close();
        replies.delete();
    }

    private static void anonymousTerminus(World world) throws Exception {
        World.Peer peer = world.peer(10);
        MessageProducer producer = peer.session.createProducer(null);
        for (String part : List.of("a", "b")) {
            Queue queue = peer.session.createQueue(world.queueName() + "-" + part);
            producer.send(queue, peer.session.createTextMessage(part));
            same(text(peer.session.createConsumer(queue)), part, "by the destination of the message");
        }
    }

    private static void large(World world, int size) throws Exception {
        World.Peer peer = world.peer(1);
        byte[] octets = new byte[size];
        for (int at = 0; at < size; at++) {
            octets[at] = (byte) (at * 31 + (at >> 13));
        }
        BytesMessage message = peer.session.createBytesMessage();
        message.writeBytes(octets);
        peer.deliver(peer.queue(), List.of(message));
        BytesMessage taken = (BytesMessage) one(peer.consumer());
        same(taken.getBodyLength(), (long) size, "length");
        byte[] found = new byte[size];
        taken.readBytes(found);
        check(java.util.Arrays.equals(found, octets), "the octets differ");
        taken.acknowledge();
    }

    private static void forbidden(World world) throws Exception {
        world.needs("limited");
        String[] login = world.given.get("limited").split(":", 2);
        String options = "amqp.saslMechanisms=PLAIN";
        Connection connection = world.connect(World.uri(world.given.get("url"), options), login[0], login[1]);
        connection.start();
        Session session = connection.createSession();
        Queue theirs = session.createQueue(world.queueName());
        refused(each -> session.createConsumer(theirs), world);
        refused(each -> session.createProducer(theirs), world);
        Queue own = session.createQueue(world.given.get("limited-address") + "/" + world.unique("open"));
        session.createProducer(own).send(session.createTextMessage("x"));
        same(text(session.createConsumer(own)), "x", "the connection lives on, and what is permitted works");
    }

    private static void heartbeat(World world) throws Exception {
        // Half of it is what it tells the broker.
        World.Peer peer = world.peer(10, "amqp.idleTimeout=2000");
        Thread.sleep(3000);
        peer.texts(peer.queue(), "x");
        same(text(peer.consumer()), "x", "after a silence");
    }
}
