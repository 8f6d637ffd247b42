#!/usr/bin/env python3
"""Compares an Autobahn report with the committed expectations.

usage: check.py [--partial] EXPECTED quick|full INDEX...

Every case of the run must have the expected behaviour, and every case must have been run. What is not named under
"exceptions" is expected to be OK. Exits 1 on any difference. --partial: cases may be missing.
"""

import json
import sys
from collections import Counter

CLEAN_CLOSES = {"OK", "INFORMATIONAL"}


def differences(results, expected, size, partial):
    """Yields one line for every case that is not as expected, and for every group that is incomplete."""
    for case in sorted(results, key=numbers):
        got = results[case]
        wanted = expected["exceptions"].get(case, {}).get("behavior", "OK")
        if got["behavior"] != wanted:
            yield f"{case}: expected {wanted}, got {got['behavior']}"
        elif got["behaviorClose"] not in CLEAN_CLOSES:
            yield f"{case}: expected a clean close, got {got['behaviorClose']} (code {got['remoteCloseCode']})"
    if partial:
        return
    counts = Counter(case.split(".")[0] for case in results)
    for group, count in expected["cases"][size].items():
        if counts[group] != count:
            yield f"group {group}: expected {count} cases, got {counts[group]}"


def numbers(case):
    return [int(part) for part in case.split(".")]


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def main(arguments):
    partial = "--partial" in arguments
    expectations, size, *indexes = [argument for argument in arguments if argument != "--partial"]
    expected = read(expectations)
    results = {}
    for index in indexes:
        # One agent per report.
        (cases,) = read(index).values()
        results.update(cases)

    found = list(differences(results, expected, size, partial))
    for line in found:
        print(line)
    failed = len({line.split(":")[0] for line in found})
    non_strict = sum(result["behavior"] == "NON-STRICT" for result in results.values())
    print(f"{max(len(results) - failed, 0)} passed, {failed} failed")
    print(f"{non_strict} NON-STRICT")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
