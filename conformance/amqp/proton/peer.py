"""Qpid Proton's blocking connection, with receivers whose credit and settlement are in the hands of a case."""

import itertools
import urllib.request

from proton import Delivery, Link, LinkException, Message, SessionException
from proton.handlers import MessagingHandler
from proton.reactor import LinkOption
from proton.utils import BlockingConnection

STEP_S = 15
turns = itertools.count(1)


class Skip(Exception):
    """A case that cannot be asked here."""


def same(got, wanted, what):
    assert got == wanted, f"{what}: {got!r:.300} is not {wanted!r:.300}"


class SettleSecond(LinkOption):
    def apply(self, link):
        link.rcv_settle_mode = Link.RCV_SECOND


class World:
    """Where the broker is, and what a case is lent: connections that end with it and names of its own."""

    def __init__(self, given, name):
        self.given, self.name, self.peers = given, name, []
        self.queue, self.topic = given.queues + name, given.topics + name

    def peer(self, url=None, user=None, password=None, mechanisms="PLAIN", **options):
        login = {"user": user or self.given.user, "password": password or self.given.password}
        peer = Peer(url or self.given.url, **login, allowed_mechs=mechanisms, **options)
        self.peers.append(peer)
        return peer

    def unique(self, word):
        return f"{word}-{self.given.run}-{next(turns)}"

    def ask(self, what):
        with urllib.request.urlopen(f"{self.given.control}/{what}", data=b"") as answer:
            return answer.read().decode()

    def end(self):
        for peer in self.peers:
            peer.drop()


class Connection(BlockingConnection):
    """Ends its waits when the broker ends a session, too."""

    def on_session_remote_close(self, event):
        condition = event.session.remote_condition
        event.session.close()
        if not self.closing:
            raise SessionException(f"session ended: {condition.name if condition else ''} {condition.description if condition else ''}")


class Peer:
    def __init__(self, url, **options):
        # Without TLS a password goes over loopback only.
        self.connection = Connection(url, timeout=STEP_S, allow_insecure_mechs=True, **options)

    def wait(self, condition, what):
        self.connection.wait(condition, msg=what)

    def drop(self):
        try:
            self.connection.close()
        except Exception:
            pass

    close = drop

    def sender(self, address, **options):
        return Outbox(self, address, **options)

    def receiver(self, address=None, credit=100, **options):
        return Inbox(self, address, credit, **options)


class Outbox:
    def __init__(self, peer, address, **options):
        self.peer = peer
        options.setdefault("name", f"link-{next(turns)}")
        self.link = peer.connection.create_sender(address, **options).link

    def send(self, message):
        """The delivery of a message or of a text, once there is credit for it."""
        self.peer.wait(lambda: self.link.credit > 0, "credit to send")
        return self.link.send(message if isinstance(message, Message) else Message(body=message))

    def deliver(self, *messages):
        deliveries = [self.send(message) for message in messages]
        self.peer.wait(lambda: all(each.settled for each in deliveries), "outcomes")
        for each in deliveries:
            assert each.remote_state == Delivery.ACCEPTED, f"not accepted but {each.remote_state}"
            each.settle()


class Inbox(MessagingHandler):
    def __init__(self, peer, address, credit, **options):
        super().__init__(prefetch=0, auto_accept=False, auto_settle=False)
        self.peer, self.got, self.is_attached, self.is_detached = peer, [], False, False
        options.setdefault("name", f"link-{next(turns)}")
        # It must be kept: with it goes the handler of its link.
        self.made = peer.connection.create_receiver(address, credit=credit, handler=self, **options)
        self.link = self.made.link
        if address and self.link.remote_source.address is None:
            # The detach that says why is on its way.
            peer.wait(lambda: False, "a refusal")
            raise LinkException("refused without a reason")
        self.is_attached = True

    def on_link_error(self, event):
        condition = event.link.remote_condition
        # A refusal is told by the attach that fails.
        if self.is_attached:
            raise LinkException(f"detached: {condition.name} {condition.description}")

    def on_link_remote_detach(self, event):
        self.is_detached = True

    def on_message(self, event):
        self.got.append((event.message, event.delivery))

    def take(self, count=1):
        self.peer.wait(lambda: len(self.got) >= count, f"{count} messages, {len(self.got)} came")
        taken, self.got = self.got[:count], self.got[count:]
        return taken

    def one(self):
        return self.take()[0]

    def rest(self, credit=1000):
        """Everything that is available, by draining: no waiting for what does not come."""
        self.link.drain(credit)
        self.peer.wait(lambda: self.link.credit == 0, "drained")
        self.link.drain_mode = False
        taken, self.got = self.got, []
        return taken

    def settle(self, delivery, state=Delivery.ACCEPTED):
        delivery.update(state)
        delivery.settle()

    def close(self):
        self.link.close()
        self.peer.wait(lambda: not self.link.state & self.link.REMOTE_ACTIVE, "close")

    def detach(self):
        self.link.detach()
        self.peer.wait(lambda: self.is_detached, "detach")


def bodies(taken):
    return [message.body for message, _ in taken]
