import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Session;
import jakarta.jms.TextMessage;
import org.apache.qpid.jms.JmsConnectionFactory;

/** Answers questions: Jakarta Messaging by Qpid JMS, which is AMQP 1.0, on a WebSocket. */
public final class Service {
    private Service() {}

    public static void main(String[] arguments) throws JMSException {
        String url = System.getenv("WHARF_URL").replaceFirst("^ws", "amqpws");
        // Over and over, for as long as it takes, if the connection is lost.
        String remote = "failover:(" + url + "?amqp.saslMechanisms=PLAIN)";
        JmsConnectionFactory factory = new JmsConnectionFactory(remote);
        String user = System.getenv("WHARF_USER");
        try (Connection connection = factory.createConnection(user, System.getenv("WHARF_PASSWORD"))) {
            Session session = connection.createSession(Session.CLIENT_ACKNOWLEDGE);
            MessageConsumer questions = session.createConsumer(session.createQueue("questions"));
            // Without a destination of its own: each answer goes where its question says.
            MessageProducer answers = session.createProducer(null);
            connection.start();
            System.out.println("ready");
            while (true) {
                Message question = questions.receive();
                TextMessage answer = session.createTextMessage(answerTo(question));
                answer.setJMSCorrelationID(question.getJMSMessageID());
                try {
                    // Returns when the broker has it on disk.
                    answers.send(question.getJMSReplyTo(), answer);
                } catch (JMSException refused) {
                    System.out.println("nobody waits for it: " + refused.getMessage());
                }
                // Lost before this, the question comes again, and is answered twice.
                question.acknowledge();
            }
        }
    }

    private static String answerTo(Message question) throws JMSException {
        return question.getBody(String.class).toUpperCase();
    }
}
