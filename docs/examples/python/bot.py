"""A bot beside people: takes what is written to the queue `help` and answers who wrote it, in
whatever protocol that is. Qpid Proton, AMQP 1.0 over TCP, since Proton has no WebSocket."""

import os

from proton import Message
from proton.handlers import MessagingHandler
from proton.reactor import Container


class Bot(MessagingHandler):
    def __init__(self, url, user, password):
        # Accepted by hand, after the answer is on disk; ten at a time until then.
        super().__init__(prefetch=10, auto_accept=False)
        self.url, self.login = url, {"user": user, "password": password}
        self.answered = {}

    def on_start(self, event):
        # Without TLS a password goes over loopback only.
        connection = event.container.connect(self.url, allow_insecure_mechs=True, **self.login)
        event.container.create_receiver(connection, "help")
        # No target: each answer goes where its `to` says.
        self.answers = event.container.create_sender(connection, None)

    def on_link_opened(self, event):
        if event.receiver:
            print("ready", flush=True)

    def on_message(self, event):
        question = event.message
        if not question.reply_to:
            return self.reject(event.delivery)
        print(f"{question.reply_to} writes: {question.body}", flush=True)
        answer = Message(
            address=question.reply_to,
            correlation_id=question.id,
            body=f"A person will look at it. You wrote: {question.body}",
        )
        self.answered[self.answers.send(answer)] = event.delivery

    def on_accepted(self, event):
        self.accept(self.answered.pop(event.delivery))

    def on_rejected(self, event):
        # Whoever asked is gone: the question becomes a dead letter.
        self.reject(self.answered.pop(event.delivery))


if __name__ == "__main__":
    url = os.environ.get("WHARF_AMQP_URL", "amqp://127.0.0.1:5672")
    bot = Bot(url, os.environ["WHARF_USER"], os.environ["WHARF_PASSWORD"])
    Container(bot).run()
