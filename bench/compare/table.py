#!/usr/bin/env python3
"""Turns the results of run.sh into Markdown tables.

Input lines, separated by tabs: pattern, size, server, figures. For ping-pong and pipelined the figures are messages per
second, processor ns per message, busy percent, messages; of several passes the one with the fewest ns counts.
"""

import sys

FLOOR = "raw-epoll"


def read(lines):
    """{pattern: {server: {size: figures}}}, in the order of appearance."""
    tables = {}
    for line in lines:
        pattern, size, server, *figures = line.rstrip("\n").split("\t")
        row = tables.setdefault(pattern, {}).setdefault(server, {})
        figures = [float(figure) for figure in figures]
        key = int(size)
        if key not in row or (pattern in ("ping-pong", "pipelined") and figures[1] < row[key][1]):
            row[key] = figures
    return tables


def print_table(headings, rows):
    print("| " + " | ".join(headings) + " |")
    print("|---" + "|--:" * (len(headings) - 1) + "|")
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def echo_table(pattern, servers):
    sizes = sorted({size for row in servers.values() for size in row})
    floor = servers.get(FLOOR, {})

    def cell(figures, size):
        if figures is None:
            return "failed"
        ratio = f" ({floor[size][1] / figures[1]:.2f})" if size in floor and figures[1] else ""
        return f"{figures[1]:,.0f}{ratio}"

    print(f"{pattern}: server's processor time per message in ns ({FLOOR} / this; more is better)\n")
    rows = ([name] + [cell(row.get(size), size) for size in sizes] for name, row in servers.items())
    print_table(["server"] + [f"{size:,} B" for size in sizes], rows)
    print(f"{pattern}: messages per second (server's core busy)\n")
    rows = (
        [name] + [f"{row[size][0]:,.0f} ({row[size][2]:.0f} %)" if size in row else "failed" for size in sizes]
        for name, row in servers.items()
    )
    print_table(["server"] + [f"{size:,} B" for size in sizes], rows)


def main():
    tables = read(sys.stdin)
    for pattern in ("ping-pong", "pipelined"):
        if pattern in tables:
            echo_table(pattern, tables[pattern])
    if "idle" in tables:
        print("resident bytes per connection\n")
        rows = ([name, *(f"{value:,.0f}" for value in row[0])] for name, row in tables["idle"].items())
        print_table(["server", "after the handshake", "after one echo of 64 KiB"], rows)
    if "syscalls" in tables:
        print("system calls per message\n")
        rows = (
            [f"{name}, {size:,} B", *(f"{value:.3f}" for value in figures)]
            for name, row in tables["syscalls"].items()
            for size, figures in row.items()
        )
        print_table(["server", "receiving", "sending"], rows)


if __name__ == "__main__":
    main()
