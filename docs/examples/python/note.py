"""Writes a message to a person, by XMPP with nothing but a WebSocket, and waits until the server has
it on disk. Usage: note.py NAME TEXT"""

import asyncio
import base64
import os
import sys
from xml.sax.saxutils import escape

from websockets import connect

HOST = "localhost"
LOGIN = f"{os.environ['WHARF_USER']}:{os.environ['WHARF_PASSWORD']}"
HEADERS = {"Authorization": "Basic " + base64.b64encode(LOGIN.encode()).decode()}
OPEN = f"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='{HOST}' version='1.0'/>"
# Who has logged in by HTTP is let in by this.
EXTERNAL = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>"
BIND = (
    "<iq xmlns='jabber:client' type='set' id='bind'>"
    "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"
)
ENABLE = "<enable xmlns='urn:xmpp:sm:3'/>"
REQUEST = "<r xmlns='urn:xmpp:sm:3'/>"


async def exchange(socket, frame, wanted):
    """Says something, and passes over what comes until what is wanted."""
    await socket.send(frame)
    async for answer in socket:
        if answer.startswith(wanted):
            return answer
        if answer.startswith(("<close", "<failure", "<failed", "<stream:error")):
            break
    sys.exit(f"no {wanted} but {answer}")


async def main(name, text):
    options = {"subprotocols": ["xmpp"], "additional_headers": HEADERS}
    async with connect(os.environ["WHARF_URL"], **options) as socket:
        await exchange(socket, OPEN, "<stream:features")
        await exchange(socket, EXTERNAL, "<success")
        await exchange(socket, OPEN, "<stream:features")
        await exchange(socket, BIND, "<iq")
        await exchange(socket, ENABLE, "<enabled")
        to = f"to='{name}@{HOST}' type='chat'"
        body = f"<body>{escape(text)}</body>"
        await socket.send(f"<message xmlns='jabber:client' {to}>{body}</message>")
        print(await exchange(socket, REQUEST, "<a "))
        await socket.send("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
