#!/usr/bin/env python3
"""Plays systemd for a unit of Type=notify: does the binary say READY, RELOADING and STOPPING?

    notify.py BINARY
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile

WAIT_S = 20


def expect(box, state):
    """Waits for a datagram with this line."""
    heard = []
    while state not in heard:
        try:
            heard += box.recv(4096).decode().splitlines()
        except TimeoutError:
            sys.exit(f"no {state} in {WAIT_S} s; heard {heard}")


def main():
    with tempfile.TemporaryDirectory(prefix="wharf-notify-") as folder:
        box = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        box.settimeout(WAIT_S)
        box.bind(f"{folder}/notify")
        command = [sys.argv[1], "serve", "--listen", "127.0.0.1:0", "--data", f"{folder}/data"]
        environment = {**os.environ, "NOTIFY_SOCKET": f"{folder}/notify"}
        quiet = subprocess.DEVNULL
        broker = subprocess.Popen(command, env=environment, stdout=quiet, stderr=quiet)
        try:
            expect(box, "READY=1")
            broker.send_signal(signal.SIGHUP)
            expect(box, "RELOADING=1")
            expect(box, "READY=1")
            broker.terminate()
            expect(box, "STOPPING=1")
            try:
                code = broker.wait(WAIT_S)
            except subprocess.TimeoutExpired:
                code = "nothing: it still runs"
            if code != 0:
                sys.exit(f"it ended with {code}")
        finally:
            broker.kill()
            broker.wait()


if __name__ == "__main__":
    main()
