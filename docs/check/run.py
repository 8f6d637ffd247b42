#!/usr/bin/env python3
"""Runs the commands of the pages, each page in a shell and with a broker of its own."""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pages
from shell import Failed, Playground

ROOT = pages.ROOT
# Its blocks come first in every guide.
BEGINNING = "docs/guides/README.md"
SOURCES = ("js", "mjs", "html", "py", "java", "go", "rs")
LINES_MAX = 60
PAGES_AT_ONCE = 3
SETUPS = {"chromium": "conformance/browser/setup.sh", "rabbitmq-server": "docs/check/rabbitmq-setup.sh"}
# With CI=1 nothing may be left out for want of a command.
STRICT = os.environ.get("CI") not in (None, "", "0", "false")


def names():
    """Pages for users. Figures are measured and designs are tested elsewhere, and so is part of
    what operators do: by packaging/check.sh."""
    patterns = ("README.md", "SECURITY.md", "docs/*.md", "docs/guides/*.md",
                "docs/operations/*.md", "docs/protocols/*.md")
    found = [path for pattern in patterns for path in ROOT.glob(pattern)]
    inside = sorted(str(path.relative_to(ROOT)) for path in found)
    return [name for name in inside if name != "docs/benchmarks.md"]


def others():
    """Pages of which the links are looked at, and no more."""
    found = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("conformance/*/README.md")]
    inside = {str(path.relative_to(ROOT)) for path in found if "node_modules" not in path.parts}
    return sorted(inside - set(names()))


def examples():
    found = [path for end in SOURCES for path in ROOT.glob(f"docs/examples/**/*.{end}")]
    inside = [str(path.relative_to(ROOT)) for path in found]
    return [name for name in inside if not re.search(r"/(node_modules|target|\.venv)/", name)]


def check_examples(all_pages):
    """Each example is quoted by a page, and is short enough for that."""
    quoted = {block.options.get("file") for page in all_pages for block in page.blocks}
    for name in examples():
        lines = len((ROOT / name).read_text().splitlines())
        if lines >= LINES_MAX:
            yield f"{name}: {lines} lines; {LINES_MAX} is too many for a page"
        if name not in quoted:
            yield f"{name}: no page quotes it"


def missing(needs, without):
    """What of it this machine has not; what can be installed for that is."""
    for need in needs & SETUPS.keys() - without:
        subprocess.run([ROOT / SETUPS[need]], check=False)
    return {need for need in needs if need in without or not shutil.which(need)}


def with_beginning(page):
    if page.folder == ROOT / "docs/guides" and page.name != BEGINNING:
        return pages.read(BEGINNING).blocks + page.blocks
    return page.blocks


class Counts:
    def __init__(self):
        self.commands = self.outputs = self.left_out = 0


# Blocks that are run once and have been.
installed = set()


def run_blocks(blocks, ground, lacking, counts):
    """Does them in their order. What a block that was left out prints is not looked at."""
    left_out = False
    for block in blocks:
        if block.language not in ("sh", "run", "text") or "not-run" in block.options:
            continue
        if block.text in installed:
            continue
        of = block.options.get("of")
        if block.needs & lacking or (block.language == "text" and not of and left_out):
            counts.left_out += 1
            left_out = True
        elif block.language == "text":
            ground.expect(block)
            counts.outputs += 1
        else:
            left_out = False
            ground.run(block)
            counts.commands += 1
            if "once" in block.options:
                installed.add(block.text)


def run(page, given, lacking):
    counts = Counts()
    folder = Path(tempfile.mkdtemp(prefix="wharf-docs-"))
    failed = False
    try:
        with Playground(folder, given.binary.resolve(), lacking) as ground:
            run_blocks(with_beginning(page), ground, lacking, counts)
    except Failed as why:
        failed = True
        kept = f" (everything is in {folder})" if given.keep else ""
        raise Failed(f"{page.name}:{why}{kept}") from None
    finally:
        if not (failed and given.keep):
            shutil.rmtree(folder, ignore_errors=True)
    return counts


def run_and_tell(page, given, lacking, faults):
    """How many blocks were run; what is wrong is added to the faults."""
    start = time.monotonic()
    try:
        counts = run(page, given, lacking)
    except Failed as failed:
        faults.append(str(failed))
        print("FAIL", failed, flush=True)
        return 0
    took = time.monotonic() - start
    more = f", {counts.left_out} LEFT OUT" if counts.left_out else ""
    done = f"{counts.commands} blocks, {counts.outputs} outputs{more}"
    print(f"ok {page.name}: {done}, {took:.0f} s", flush=True)
    return counts.commands


def run_all(chosen, given, faults):
    """Runs pages, adds to the faults, and says how many blocks that were."""
    # The broker's configuration needs node.
    needs = {"node"}.union(*(page.needs for page in chosen))
    lacking = missing(needs, given.without)
    # What the beginning installs is not installed twice at a time; after that pages wait more than
    # they compute.
    first = [page for page in chosen if page.name == BEGINNING]
    rest = [page for page in chosen if page.name != BEGINNING]
    rest.sort(key=lambda page: -len(page.blocks))
    total = sum(run_and_tell(page, given, lacking, faults) for page in first)
    with ThreadPoolExecutor(PAGES_AT_ONCE if first else 1) as threads:
        one = partial(run_and_tell, given=given, lacking=lacking, faults=faults)
        total += sum(threads.map(one, rest))
    for need in sorted(lacking):
        print(f"MISSING HERE: {need}. What needs it was not run.")
        if STRICT:
            faults.append(f"CI is set, and there is no {need}")
    return total


def faults_of_references(given):
    """What docs/reference says and the program does not, or the other way round."""
    command = [sys.executable, ROOT / "docs/check/reference.py", "--check", "--binary", given.binary]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    print(checked.stdout + checked.stderr, end="", flush=True)
    said = checked.stdout.splitlines() or ["docs/check/reference.py failed"]
    return said if checked.returncode else []


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True, type=Path)
    parser.add_argument("--dry", action="store_true", help="read the pages, run nothing")
    parser.add_argument("--keep", action="store_true", help="leave a failed page's folder")
    parser.add_argument("--without", action="append", default=[], help="do as if it were missing")
    parser.add_argument("pages", nargs="*", help="paths of pages, or parts of them")
    given = parser.parse_args()
    given.without = set(given.without)
    all_pages = [pages.read(name) for name in names()]
    faults = [fault for page in all_pages for fault in page.faults]
    faults += [fault for name in others() for fault in pages.faults_of_links(name)]
    faults += check_examples(all_pages)
    for fault in faults:
        print(fault)
    for page in all_pages:
        for block in page.blocks:
            if "not-run" in block.options:
                print(f"not run: {page.name}:{block.line}: {block.options['not-run']}")
    chosen = [page for page in all_pages if page.runs]
    if given.pages:
        chosen = [page for page in chosen if any(part in page.name for part in given.pages)]
    if not given.dry and not given.pages:
        faults += faults_of_references(given)
    total = 0 if given.dry else run_all(chosen, given, faults)
    print(f"docs: {len(all_pages)} pages, {total} blocks run, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
