#!/usr/bin/env python3
"""Turns the results of run.sh into Markdown tables.

Input lines as the load generator prints them, and `syncs`, label, rate, count, messages. Of several passes the median
of every figure counts.
"""

import statistics
import sys

CLASSIC, QUORUM = "RabbitMQ classic", "RabbitMQ quorum"


def read(lines):
    """({setting: {label: [figures of each pass]}}, idle, syncs), in the order of appearance."""
    runs, idle, syncs = {}, {}, {}
    for line in lines:
        kind, label, *fields = line.rstrip("\n").split("\t")
        if kind == "idle":
            idle.setdefault(label, []).append([float(field) for field in fields])
        elif kind == "syncs":
            syncs[label] = [float(field) for field in fields]
        else:
            setting = (fields[3], int(fields[0]), int(fields[1]), fields[2])
            figures = [float("nan") if field == "-" else float(field) for field in fields[4:]]
            runs.setdefault(setting, {}).setdefault(label, []).append(figures)
    return runs, idle, syncs


def medians(passes):
    return [statistics.median(figure) for figure in zip(*passes)]


def print_table(headings, rows):
    print("| " + " | ".join(headings) + " |")
    print("|---" + "|--:" * (len(headings) - 1) + "|")
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def ratio(figures, at, peer, invert=False):
    if peer is None:
        return "-"
    this, other = (peer[at], figures[at]) if invert else (figures[at], peer[at])
    return f"{this / other:.2f}" if other else "-"


def throughput(setting, servers):
    _, size, credit, settled = setting
    print(f"{size:,} B, credit {credit:,}, {settled}\n")
    peers = [servers.get(name) for name in (CLASSIC, QUORUM)]
    rows = []
    for label, it in servers.items():
        rows.append(
            [
                label,
                f"{it[0]:,.0f}",
                f"{it[1]:,.0f}",
                *(ratio(it, 1, peer) for peer in peers),
                f"{it[2] / 1000:.2f}",
                f"{it[3] / 1000:.2f}",
                f"{it[5]:.2f}",
                ratio(it, 5, peers[0], invert=True),
                f"{it[6]:.2f}",
            ]
        )
    print_table(
        [
            "",
            "in/s",
            "out/s",
            "out: x classic",
            "x quorum",
            "p50 ms",
            "p99 ms",
            "broker CPU us/msg",
            "classic / this",
            "client CPU us/msg",
        ],
        rows,
    )


def latency(setting, servers):
    rate, size, credit, settled = setting
    print(f"{float(rate):,.0f} messages/s, {size:,} B, credit {credit:,}, {settled}\n")
    classic = servers.get(CLASSIC)
    rows = [
        [label, *(f"{us:,.0f}" for us in it[2:5]), ratio(it, 2, classic), ratio(it, 3, classic), f"{it[5]:.1f}"]
        for label, it in servers.items()
    ]
    headings = ["", "p50 us", "p99 us", "p99.9 us", "p50 / classic's", "p99 / classic's", "broker CPU us/msg"]
    print_table(headings, rows)


def main():
    runs, idle, syncs = read(sys.stdin)
    for setting, servers in runs.items():
        figures = {label: medians(passes) for label, passes in servers.items()}
        (throughput if setting[0] == "max" else latency)(setting, figures)
    if idle:
        print("idle connections\n")
        rows = [
            [label, f"{it[0]:,.0f}", f"{it[1] / 1024:.1f}", f"{it[2]:.2f}", f"{it[3]:.0f}", f"{it[4]:.0f}"]
            for label, it in ((label, medians(passes)) for label, passes in idle.items())
        ]
        print_table(["", "connections", "KiB each", "s to open", "MiB before", "MiB after"], rows)
    if syncs:
        print("system calls that sync (fsync, fdatasync, sync_file_range)\n")
        rows = [
            [label, f"{calls:,.0f}", f"{messages:,.0f}", f"{messages / calls:,.0f}" if calls else "none"]
            for label, (calls, messages) in syncs.items()
        ]
        print_table(["", "syncs", "messages", "messages a sync"], rows)


if __name__ == "__main__":
    main()
