"""A broker of one's own: started on a free port, killed and started again by its process id."""

import contextlib
import random
import re
import selectors
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

START_S = 60


def lasting_port():
    """A free port outside the range that the system hands out, so that nobody takes it during a restart."""
    while True:
        port = random.randrange(10_000, 32_000)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


class Broker:
    """`wharf serve` with its data in a temporary directory."""

    def __init__(self, binary, users, settings=(), flags=()):
        self.binary, self.users, self.settings, self.flags = binary, users, settings, flags
        self.listen = f"127.0.0.1:{lasting_port()}"
        self.directory = tempfile.TemporaryDirectory(prefix="wharf-conformance-")
        self.process = None

    def start(self):
        """Starts the broker and waits for its greeting; says the URL of its WebSocket."""
        log = Path(self.directory.name, "log").open("ab")
        command = [self.binary, "serve", "--listen", self.listen, "--data", str(Path(self.directory.name, "data"))]
        for name, password in self.users:
            command += ["--user", f"{name}:{password}"]
        for setting in self.settings:
            command += ["--set", setting]
        command += self.flags
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)
        log.close()
        match = re.search(r"wss?://(\S+)/ws", self.greeting())
        self.listen = match.group(1)
        return match.group(0)

    def greeting(self):
        """What the broker prints when it serves."""
        text, deadline = b"", time.monotonic() + START_S
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while b"/ws" not in text:
                if not selector.select(deadline - time.monotonic()):
                    raise TimeoutError("the broker did not say that it is ready")
                chunk = self.process.stdout.read1()
                if not chunk:
                    raise RuntimeError(f"the broker ended at once:\n{self.log()}")
                text += chunk
        return text.decode()

    def kill(self):
        """As a power cut ends a process."""
        self.process.kill()
        self.process.wait()

    def terminate(self):
        """As a restart does; says the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(START_S)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.terminate()
        self.directory.cleanup()

    def status(self, field):
        """A field of the process's status in KiB, such as VmRSS."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"^{field}:\s+(\d+) kB", status, re.MULTILINE).group(1))

    def is_alive(self):
        return self.process.poll() is None

    def verifier(self, password):
        """What the configuration says of a user in place of the password."""
        hashed = subprocess.run([self.binary, "passwd", "hash"], input=password.encode(), capture_output=True, check=True)
        return hashed.stdout.decode().strip()

    def log(self):
        return Path(self.directory.name, "log").read_text(errors="replace")
