#!/usr/bin/env python3
"""Writes the files that pages quote whole into those pages, as the files are now."""

import re

import pages
from run import names

WHOLE = re.compile(r"^```(\w+) file=(\S+)\n.*?^```$", re.M | re.S)


def quoted(found):
    content = (pages.ROOT / found[2]).read_text().expandtabs(4)
    return f"```{found[1]} file={found[2]}\n{content}```"


for name in names():
    path = pages.ROOT / name
    before = path.read_text()
    after = WHOLE.sub(quoted, before)
    if after != before:
        path.write_text(after)
        print(name)
