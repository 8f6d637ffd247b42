package client;

import jakarta.jms.CompletionListener;
import jakarta.jms.Connection;
import jakarta.jms.Destination;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Queue;
import jakarta.jms.Session;
import jakarta.jms.TextMessage;
import jakarta.jms.Topic;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.qpid.jms.JmsConnectionFactory;

/** Where the broker is, and what a case is lent: connections that end with it and names of its own. */
final class World {
    static final long STEP_MS = 15_000;
    /** Qpid's own mode: each message is settled by itself, with the outcome that it is given. */
    static final int INDIVIDUALLY = 101;
    private static final AtomicInteger TURN = new AtomicInteger();

    final Main.Given given;
    private final String name;
    private final List<Connection> connections = new ArrayList<>();

    World(Main.Given given, String name) {
        this.given = given;
        this.name = name;
    }

    /** A case that cannot be asked here. */
    static final class Skip extends Exception {
        Skip(String why) {
            super(why);
        }
    }

    static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }

    static void same(Object got, Object wanted, String what) {
        check(Objects.deepEquals(got, wanted), what + ": " + shorten(got) + " is not " + shorten(wanted));
    }

    private static String shorten(Object value) {
        String text = String.valueOf(value);
        return text.length() > 250 ? text.substring(0, 250) : text;
    }

    void needs(String flag) throws Skip {
        if (given.get(flag).isEmpty()) {
            throw new Skip("needs --" + flag);
        }
    }

    String queueName() {
        return given.get("queues") + name;
    }

    String unique(String word) {
        return word + "-" + given.get("run") + "-" + TURN.incrementAndGet();
    }

    static URI uri(String url, String options) {
        String jms = url.replaceFirst("^ws", "amqpws");
        return URI.create(jms + "?" + options);
    }

    Connection connect(URI uri, String user, String password) throws JMSException {
        JmsConnectionFactory factory = new JmsConnectionFactory(user, password, uri);
        Connection connection = factory.createConnection();
        connections.add(connection);
        return connection;
    }

    /** A peer whose consumers fetch this many messages ahead. 0: each is asked for. */
    Peer peer(int prefetch, String... options) throws JMSException {
        String more = options.length == 0 ? "" : "&" + String.join("&", options);
        URI uri = uri(given.get("url"), "amqp.saslMechanisms=PLAIN&jms.prefetchPolicy.all=" + prefetch + more);
        Connection connection = connect(uri, given.get("user"), given.get("password"));
        connection.start();
        return new Peer(connection);
    }

    String ask(String what) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(given.get("control") + "/" + what));
        HttpResponse<String> answer = HttpClient.newHttpClient()
                .send(request.POST(HttpRequest.BodyPublishers.noBody()).build(), HttpResponse.BodyHandlers.ofString());
        check(answer.statusCode() == 200, "the harness: " + answer.body());
        return answer.body();
    }

    void end() {
        for (Connection each : connections) {
            Thread closing = new Thread(() -> {
                try {
                    each.close();
                } catch (JMSException gone) {
                    // It was broken: nothing is left to close.
                }
            });
            closing.setDaemon(true);
            closing.start();
            try {
                closing.join(3000);
            } catch (InterruptedException stop) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** A connection with one session. */
    final class Peer {
        final Connection connection;
        final Session session;

        Peer(Connection connection) throws JMSException {
            this.connection = connection;
            this.session = connection.createSession(INDIVIDUALLY);
        }

        Queue queue() throws JMSException {
            return session.createQueue(queueName());
        }

        Topic topic() throws JMSException {
            return session.createTopic(given.get("topics") + name);
        }

        MessageConsumer consumer() throws JMSException {
            return session.createConsumer(queue());
        }

        /** Sends all of them and waits until each is accepted. */
        void deliver(Destination to, List<Message> messages) throws Exception {
            MessageProducer producer = session.createProducer(to);
            CountDownLatch open = new CountDownLatch(messages.size());
            AtomicReference<Exception> refused = new AtomicReference<>();
            CompletionListener told = new CompletionListener() {
                @Override
                public void onCompletion(Message message) {
                    open.countDown();
                }

                @Override
                public void onException(Message message, Exception exception) {
                    refused.set(exception);
                    open.countDown();
                }
            };
            for (Message each : messages) {
                producer.send(each, told);
            }
            check(open.await(2 * STEP_MS, TimeUnit.MILLISECONDS), "timed out: outcomes");
            if (refused.get() != null) {
                throw refused.get();
            }
            producer.close();
        }

        void texts(Destination to, String... bodies) throws Exception {
            List<Message> messages = new ArrayList<>();
            for (String each : bodies) {
                messages.add(session.createTextMessage(each));
            }
            deliver(to, messages);
        }

        /** What is left in the queue: a consumer that fetches nothing ahead asks by draining. */
        List<String> left() throws JMSException {
            List<String> found = new ArrayList<>();
            try (MessageConsumer consumer = consumer()) {
                for (Message next = consumer.receiveNoWait(); next != null; next = consumer.receiveNoWait()) {
                    found.add(((TextMessage) next).getText());
                    next.acknowledge();
                }
            }
            return found;
        }
    }

    static Message one(MessageConsumer consumer) throws JMSException {
        Message next = consumer.receive(STEP_MS);
        check(next != null, "timed out: a message");
        return next;
    }

    static String text(MessageConsumer consumer) throws JMSException {
        return ((TextMessage) one(consumer)).getText();
    }

    /** How often it was delivered before. */
    static int count(Message message) throws JMSException {
        return message.getIntProperty("JMSXDeliveryCount") - 1;
    }
}
