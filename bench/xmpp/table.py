#!/usr/bin/env python3
"""Turns the lines of xmpp-load into Markdown tables; of several passes the median counts."""

import statistics
import sys
from collections import defaultdict


def rows(kind, keys):
    """Medians of the figures of one kind of line, by the fields that name it."""
    found = defaultdict(list)
    for line in LINES:
        if line[0] == kind:
            found[tuple(line[1 : 1 + keys])].append(line[1 + keys :])
    for name, passes in found.items():
        columns = [[float(value) for value in column if value != "-"] for column in zip(*passes)]
        yield name, [statistics.median(column) if column else None for column in columns], passes


def table(head, body):
    if not body:
        return
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for line in body:
        print("| " + " | ".join(line) + " |")
    print()


def figure(value, digits=0):
    return "-" if value is None else f"{value:,.{digits}f}"


LINES = [line.rstrip("\n").split("\t") for line in sys.stdin]
load = []
for (label, pairs, window), (rate, p50, p99, server, client, sent, _), passes in rows("load", 3):
    faults = sum(int(one[-1]) for one in passes)
    load.append([label, pairs, window, figure(rate), figure(server, 1), figure(client, 1), figure(p50), figure(p99), str(faults)])
table(["server", "pairs", "window", "messages/s", "server us", "generator us", "p50 us", "p99 us", "faults"], load)
for kind, title in (("idle", "bytes each"), ("login", "bytes each")):
    body = []
    for (label, sessions), (each, seconds, each_ms, before, after), _ in rows(kind, 2):
        body.append([label, sessions, figure(each), figure(seconds, 1), figure(each_ms, 2), figure(before, 1), figure(after, 1)])
    table([kind, "sessions", title, "seconds", "server ms each", "MiB before", "MiB after"], body)
