package client;

import static client.World.check;
import static client.World.count;
import static client.World.one;
import static client.World.same;

import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.TextMessage;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;

/** Cuts of the TCP connection, and a broker that is killed: the harness does it when it is asked. */
final class Recovery {
    private static final int SENT = 300;
    private static final int CUTS = 3;

    private Recovery() {}

    /** A host that is served elsewhere (WSB section 3): the client is told where, and goes there. */
    static void redirect(World world) throws Exception {
        world.needs("elsewhere");
        String options = "?amqp.saslMechanisms=PLAIN&amqp.vhost=" + world.given.get("elsewhere");
        String here = world.given.get("url").replaceFirst("^ws", "amqpws");
        URI uri = URI.create("failover:(" + here + options + ")?failover.maxReconnectAttempts=3");
        Connection connection = world.connect(uri, world.given.get("user"), world.given.get("password"));
        connection.start();
        World.Peer peer = world.new Peer(connection);
        peer.texts(peer.queue(), "for elsewhere");
        // It is there, and not here.
        same(world.peer(0).left(), List.of(), "left where the host is not served");
        URI there = World.uri(world.given.get("elsewhere-url"), "amqp.saslMechanisms=PLAIN&jms.prefetchPolicy.all=0");
        Connection direct = world.connect(there, world.given.get("user"), world.given.get("password"));
        direct.start();
        same(world.new Peer(direct).left(), List.of("for elsewhere"), "left where it is");
    }

    private static String body(int at) {
        return at + ":" + "y".repeat(1000);
    }

    private static int number(Message message) throws JMSException {
        return Integer.parseInt(((TextMessage) message).getText().split(":")[0]);
    }

    /** A peer that comes back by itself, through the wire. */
    private static World.Peer failover(World world) throws JMSException {
        String inner = World.uri(world.given.get("proxy"), "amqp.saslMechanisms=PLAIN").toString();
        String options = "failover.reconnectDelay=20&failover.maxReconnectDelay=50&failover.maxReconnectAttempts=200";
        URI uri = URI.create("failover:(" + inner + ")?" + options + "&jms.prefetchPolicy.all=10");
        Connection connection = world.connect(uri, world.given.get("user"), world.given.get("password"));
        connection.start();
        return world.new Peer(connection);
    }

    static void cut(World world) throws Exception {
        world.needs("proxy");
        int before = Integer.parseInt(world.ask("cuts"));
        World.Peer peer = failover(world);
        MessageProducer producer = peer.session.createProducer(peer.queue());
        for (int at = 0; at < SENT; at++) {
            if (at % (SENT / CUTS) == 20) {
                world.ask("cut?after=20000");
            }
            // It returns when the broker has accepted it; what a cut leaves open is sent again on its own.
            producer.send(peer.session.createTextMessage(body(at)));
        }
        int whileSending = Integer.parseInt(world.ask("cuts")) - before;
        MessageConsumer consumer = peer.consumer();
        TreeSet<Integer> seen = new TreeSet<>();
        TreeMap<Integer, Integer> fresh = new TreeMap<>();
        while (seen.size() < SENT) {
            Message next = one(consumer);
            if (count(next) == 0) {
                fresh.merge(number(next), 1, Integer::sum);
            }
            if (seen.add(number(next)) && seen.size() % (SENT / CUTS) == 20) {
                world.ask("cut?after=10000");
            }
            try {
                next.acknowledge();
            } catch (JMSException cut) {
                // The delivery went with the connection: it comes again.
            }
        }
        check(Integer.parseInt(world.ask("cuts")) - before >= CUTS, "too few cuts");
        int doubled = fresh.values().stream().mapToInt(times -> times - 1).sum();
        // At each cut one message was on its way.
        check(doubled <= whileSending, doubled + " came twice without a delivery-count, after " + whileSending + " cuts");
    }

    static void kill(World world) throws Exception {
        world.needs("killable");
        World.Peer peer = world.peer(100);
        List<Message> messages = new ArrayList<>();
        for (int at = 0; at < 200; at++) {
            messages.add(peer.session.createTextMessage(body(at)));
        }
        peer.deliver(peer.queue(), messages);
        MessageConsumer consumer = peer.consumer();
        for (int at = 0; at < 50; at++) {
            Message taken = one(consumer);
            same(number(taken), at, "before the kill");
            if (at < 20) {
                taken.acknowledge();
            }
        }
        world.ask("kill");
        world.ask("start");
        consumer = world.peer(0).consumer();
        TreeSet<Integer> found = new TreeSet<>();
        for (Message next = consumer.receiveNoWait(); next != null; next = consumer.receiveNoWait()) {
            int at = number(next);
            check(at >= 50 || count(next) > 0, at + " comes again without a delivery-count");
            check(found.add(at), at + " comes twice");
            next.acknowledge();
        }
        found.removeIf(at -> at < 20);
        same(found.size(), 180, "how many came after the kill");
    }
}
