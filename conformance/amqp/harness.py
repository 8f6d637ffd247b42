"""What the clients ask of the world around the broker: a wire that is cut, a broker that is killed and started."""

import contextlib
import http.server
import socket
import struct
import threading
import urllib.parse

READ_BYTES = 65_536


class Wire:
    """A TCP proxy before the broker, whose connections can be cut: at once, or in the midst of what passes."""

    def __init__(self, host, port):
        self.target = (host, port)
        self.lock = threading.Lock()
        self.pairs, self.left, self.cuts = set(), None, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                try:
                    broker = socket.create_connection(self.target, timeout=5)
                except OSError:
                    client.close()
                    continue
                broker.settimeout(None)
                pair = (client, broker)
                with self.lock:
                    self.pairs.add(pair)
                for end in pair:
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self.pump, args=(pair, client, broker), daemon=True).start()
                threading.Thread(target=self.pump, args=(pair, broker, client), daemon=True).start()

    def pump(self, pair, source, sink):
        is_last = False
        with contextlib.suppress(OSError):
            while not is_last and (chunk := source.recv(READ_BYTES)):
                passing, is_last = self.passing(chunk)
                self.cuts += is_last
                sink.sendall(passing)
        self.end(pair, reset=is_last)

    def passing(self, chunk):
        """What of it still passes, and whether the wire breaks after that."""
        with self.lock:
            if self.left is None:
                return chunk, False
            passing = chunk[: self.left]
            self.left -= len(passing)
            if self.left > 0:
                return passing, False
            self.left = None
            return passing, True

    def end(self, pair, reset=False):
        with self.lock:
            if pair not in self.pairs:
                return
            self.pairs.remove(pair)
        for end in pair:
            with contextlib.suppress(OSError):
                if reset:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                # Wakes the other thread, which still reads; before a reset nothing may say that this is the end.
                end.shutdown(socket.SHUT_RD if reset else socket.SHUT_RDWR)
            end.close()

    def cut(self, after=None):
        if after is not None:
            with self.lock:
                self.left = after
            return
        for pair in list(self.pairs):
            self.cuts += 1
            self.end(pair, reset=True)

    def close(self):
        self.listener.close()
        for pair in list(self.pairs):
            self.end(pair)


class Control:
    """`POST /cut`, `/cut?after=OCTETS`, `/cuts`, `/kill` and `/start`, answered when it is done."""

    def __init__(self, wire, broker=None):
        self.wire, self.broker = wire, broker

        def answer(handler):
            try:
                body, status = self.do(urllib.parse.urlsplit(handler.path)), 200
            except Exception as error:  # the client prints it
                body, status = f"{type(error).__name__}: {error}", 500
            octets = body.encode()
            handler.send_response(status)
            handler.send_header("Content-Length", str(len(octets)))
            handler.send_header("Connection", "close")
            handler.end_headers()
            handler.wfile.write(octets)

        methods = {"do_POST": answer, "log_message": lambda *_: None}
        handler = type("Handler", (http.server.BaseHTTPRequestHandler,), methods)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def do(self, request):
        what = request.path.strip("/")
        if what == "cuts":
            return str(self.wire.cuts)
        if what == "cut":
            after = urllib.parse.parse_qs(request.query).get("after")
            self.wire.cut(int(after[0]) if after else None)
        elif what == "kill" and self.broker:
            self.broker.kill()
        elif what == "start" and self.broker:
            self.broker.start()
        else:
            raise LookupError(f"this harness cannot {what}")
        return "done"

    def close(self):
        self.server.shutdown()
        self.wire.close()
