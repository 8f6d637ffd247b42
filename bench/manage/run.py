#!/usr/bin/env python3
"""A publisher beside a busy management API: `wharf bench` alone and with somebody who asks for pages
of addresses, /metrics and connections without end, in turns on one broker of 100,000 addresses.

usage: run.py [--wharf target/release/wharf] [--pairs 9] [--messages 300000] [--gap-ms 10]"""

import argparse
import base64
import json
import os
import re
import socket
import statistics
import subprocess
import tempfile
import time
from multiprocessing import Process, Value
from pathlib import Path

ADDRESSES = 100_000
PATHS = ["/api/v1/addresses?limit=100", "/metrics", "/api/v1/connections?limit=100"]
LOGIN = "admin:admin"


def port_of(greeting):
    return int(re.search(r"ws://127\.0\.0\.1:(\d+)/ws", greeting).group(1))


def ask(port, gap_s, count):
    """One client on one connection, as a console or a collector is."""
    login = base64.b64encode(LOGIN.encode()).decode()
    head = f" HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {login}\r\n\r\n"
    requests = [f"GET {path}{head}".encode() for path in PATHS]
    with socket.create_connection(("127.0.0.1", port)) as connection:
        while True:
            connection.sendall(requests[count.value % len(requests)])
            answer = b""
            while b"\r\n\r\n" not in answer:
                answer += connection.recv(1 << 16)
            head, _, body = answer.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            length = int(re.search(rb"(?i)content-length: (\d+)", head).group(1))
            while len(body) < length:
                body += connection.recv(1 << 16)
            count.value += 1
            time.sleep(gap_s)


class Broker:
    def __init__(self, wharf, folder):
        self.wharf = wharf
        command = [wharf, "serve", "--listen", "127.0.0.1:0", "--data", folder / "data", "--user", LOGIN]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        greeting = ""
        while "/ws" not in greeting:
            greeting += self.process.stdout.readline()
        self.port = port_of(greeting)
        url = f"ws://127.0.0.1:{self.port}/ws"
        self.environment = {**os.environ, "WHARF_URL": url, "WHARF_USER": "admin", "WHARF_PASSWORD": "admin"}
        names = [{"host": "localhost", "name": f"orders/{i:06}", "kind": "queue"} for i in range(ADDRESSES)]
        (folder / "definitions.json").write_text(json.dumps({"version": 1, "addresses": names}))
        self.run("definitions", "apply", folder / "definitions.json")

    def run(self, *arguments):
        command = [self.wharf, *arguments]
        return subprocess.run(command, env=self.environment, check=True, capture_output=True, text=True).stdout

    def processor_s(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().split()
        return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")

    def bench(self, messages):
        before = self.processor_s()
        said = self.run("bench", "--messages", str(messages))
        assert "lost 0, duplicated 0" in said, said
        rate = float(re.search(r"stored .*: ([\d,]+) msg/s", said).group(1).replace(",", ""))
        return rate, (self.processor_s() - before) / messages * 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--wharf", default=str(Path(__file__).parents[2] / "target/release/wharf"))
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--messages", type=int, default=300_000)
    parser.add_argument("--gap-ms", type=float, default=10)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        broker = Broker(given.wharf, Path(folder))
        try:
            broker.bench(given.messages)
            alone, beside, asked, took_s = [], [], Value("q", 0), 0
            for _ in range(given.pairs):
                alone.append(broker.bench(given.messages))
                asking = Process(target=ask, args=(broker.port, given.gap_ms / 1000, asked), daemon=True)
                asking.start()
                began = time.monotonic()
                beside.append(broker.bench(given.messages))
                took_s += time.monotonic() - began
                asking.kill()
                asking.join()
        finally:
            broker.process.terminate()
            broker.process.wait()
    for name, runs in (("alone", alone), ("with requests", beside)):
        rate, cost = (statistics.median(column) for column in zip(*runs))
        print(f"{name:14} {rate:10,.0f} messages a second, {cost:.2f} us of the broker's processor for each")
    ratios = [with_them / without for (without, _), (with_them, _) in zip(alone, beside)]
    print(f"ratio          {statistics.median(ratios):.3f} (median of {len(ratios)} pairs), "
          f"{asked.value / took_s:.0f} requests a second")


if __name__ == "__main__":
    main()
