#!/usr/bin/env python3
"""Runs the commands of the pages, each page in a shell and with a broker of its own."""

import argparse
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path

import pages
from shell import Failed, Playground

ROOT = pages.ROOT
# Its blocks come first in every guide.
BEGINNING = "docs/guides/README.md"
SOURCES = ("js", "mjs", "html", "py", "java", "go", "rs")
LINES_MAX = 60


def names():
    """Pages for users. Figures are measured and designs are tested elsewhere, and so is what
    operators do: by packaging/check.sh."""
    patterns = ("SECURITY.md", "docs/*.md", "docs/guides/*.md", "docs/protocols/*.md")
    found = [path for pattern in patterns for path in ROOT.glob(pattern)]
    inside = sorted(str(path.relative_to(ROOT)) for path in found)
    return [name for name in inside if name != "docs/benchmarks.md"]


def examples():
    found = [path for end in SOURCES for path in ROOT.glob(f"docs/examples/**/*.{end}")]
    inside = [str(path.relative_to(ROOT)) for path in found]
    return [name for name in inside if not re.search(r"/(node_modules|target|\.venv)/", name)]


def check_examples(all_pages):
    """Each example is quoted by a guide, and is short enough for that."""
    quoted = {block.options.get("file") for page in all_pages for block in page.blocks}
    for name in examples():
        lines = len((ROOT / name).read_text().splitlines())
        if lines >= LINES_MAX:
            yield f"{name}: {lines} lines; {LINES_MAX} is too many for a page"
        if name not in quoted:
            yield f"{name}: no page quotes it"


def run(page, binary, keep):
    """Runs a page; says how many commands that were, and how many outputs were looked at."""
    blocks = page.blocks
    if page.folder == ROOT / "docs/guides" and page.name != BEGINNING:
        blocks = pages.read(BEGINNING).blocks + blocks
    folder = Path(tempfile.mkdtemp(prefix="wharf-docs-"))
    commands = outputs = 0
    failed = False
    try:
        with Playground(folder, binary) as ground:
            for block in blocks:
                if block.language == "text":
                    ground.expect(block)
                    outputs += 1
                elif block.language in ("sh", "run") and "not-run" not in block.options:
                    ground.run(block)
                    commands += 1
    except Failed as why:
        failed = True
        kept = f" (everything is in {folder})" if keep else ""
        raise Failed(f"{page.name}:{why}{kept}") from None
    finally:
        if not (failed and keep):
            shutil.rmtree(folder, ignore_errors=True)
    return commands, outputs


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True, type=Path)
    parser.add_argument("--dry", action="store_true", help="read the pages, run nothing")
    parser.add_argument("--keep", action="store_true", help="leave a failed page's folder")
    parser.add_argument("pages", nargs="*", help="paths of pages, or parts of them")
    given = parser.parse_args()
    all_pages = [pages.read(name) for name in names()]
    faults = [fault for page in all_pages for fault in page.faults]
    faults += check_examples(all_pages)
    for fault in faults:
        print(fault)
    for page in all_pages:
        for block in page.blocks:
            if "not-run" in block.options:
                print(f"not run: {page.name}:{block.line}: {block.options['not-run']}")
    total = 0
    for page in [] if given.dry else all_pages:
        runs = any(block.language in ("sh", "run") for block in page.blocks)
        if not runs or (given.pages and not any(part in page.name for part in given.pages)):
            continue
        start = time.monotonic()
        try:
            commands, outputs = run(page, given.binary.resolve(), given.keep)
            took = time.monotonic() - start
            print(f"ok {page.name}: {commands} blocks, {outputs} outputs, {took:.0f} s", flush=True)
            total += commands
        except Failed as failed:
            faults.append(str(failed))
            print("FAIL", failed, flush=True)
    print(f"docs: {len(all_pages)} pages, {total} blocks run, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
