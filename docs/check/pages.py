"""Reads pages: what is to be run, what it must print, which files are quoted and where links lead.

    ```sh                       run as it stands, each block from the root of the repository
    ```sh name=worker           the same; what it prints goes on to be looked at
    ```sh not-run="why"         not run
    ```sh needs=go,node         run where there are such commands; so are the others
    ```sh once=yes              run once, for all pages
    ```sh in=work               run in a folder of the page's own
    ```text                     what the block before prints; `...` stands for anything
    ```text numbers=any         all numbers but 0 are examples
    ```text of=worker           what that block has printed by now, among other lines
    ```go file=PATH             that file, whole
    ```json part=PATH           lines of that file, one after the other
    <!-- run: COMMAND -->       run, but no reader's business; also `run needs=go: COMMAND`

Go is written with tabs, and pages have none: there a tab of the file is four spaces.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```(\w*)[ ]*(.*)$")
HIDDEN = re.compile(r"^<!-- run((?: [\w-]+=[\w,-]+)*): (.*) -->$")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
OPTION = re.compile(r'([\w-]+)=(?:"([^"]*)"|(\S+))')


@dataclass
class Block:
    """A fenced block or a hidden command, and where it stands."""

    line: int
    language: str
    text: str
    options: dict = field(default_factory=dict)

    @property
    def needs(self):
        return set(filter(None, self.options.get("needs", "").split(",")))


@dataclass
class Page:
    name: str
    text: str
    blocks: list
    faults: list

    @property
    def runs(self):
        kinds = ("sh", "run")
        return any(it.language in kinds and "not-run" not in it.options for it in self.blocks)

    @property
    def needs(self):
        """Commands that blocks of this page need, beside those of any system."""
        return {need for block in self.blocks for need in block.needs}

    @property
    def folder(self):
        return (ROOT / self.name).parent


def read(name):
    text = (ROOT / name).read_text()
    page = Page(name, text, [], [])
    fence, body = None, []
    for number, line in enumerate(text.splitlines(), 1):
        if fence:
            if line == "```":
                fence.text = "".join(each + "\n" for each in body)
                page.blocks.append(fence)
                fence = None
            else:
                body.append(line)
        elif found := FENCE.match(line):
            options = {name: one or two for name, one, two in OPTION.findall(found[2])}
            fence, body = Block(number, found[1], "", options), []
        elif found := HIDDEN.match(line):
            options = {name: one or two for name, one, two in OPTION.findall(found[1])}
            page.blocks.append(Block(number, "run", found[2] + "\n", options))
    if fence:
        page.faults.append(f"{name}:{fence.line}: a block without an end")
    check_blocks(page)
    check_links(page)
    return page


def check_blocks(page):
    for block in page.blocks:
        where = f"{page.name}:{block.line}"
        quoted = block.options.get("file") or block.options.get("part")
        if quoted:
            check_quotation(page, block, where, quoted)
        elif block.language not in ("sh", "text", "run") and "not-run" not in block.options:
            page.faults.append(f"{where}: {block.language or 'a block'} that is no file's")


def check_quotation(page, block, where, quoted):
    path = ROOT / quoted
    if not path.is_file():
        page.faults.append(f"{where}: there is no {quoted}")
        return
    content = path.read_text().expandtabs(4)
    if "file" in block.options and content != block.text:
        page.faults.append(f"{where}: {quoted} is not as it is quoted")
    if "part" in block.options and "\n" + block.text not in "\n" + content:
        page.faults.append(f"{where}: {quoted} has no such lines")


def anchors(text):
    """The anchors of a page's headings, as they are made for them."""
    found = set()
    for heading in re.findall(r"^#+ (.*)$", text, re.M):
        kept = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower())
        found.add(kept.replace(" ", "-"))
    return found


def check_links(page):
    page.faults += faults_of_links(page.name)


def faults_of_links(name):
    text = (ROOT / name).read_text()
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    for target in LINK.findall(prose):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = ((ROOT / name).parent / path).resolve() if path else ROOT / name
        if not there.exists():
            yield f"{name}: no such file: {target}"
        elif anchor and there.suffix == ".md" and anchor not in anchors(there.read_text()):
            yield f"{name}: no such heading: {target}"


NUMBER = re.compile(r"[1-9][\d,]*(?:\\\.\d+)?")


def fits(wanted, got, anywhere=False, any_number=False):
    """Whether output is what a page says. `...` alone is any lines, in a line any characters."""
    lines = wanted.rstrip("\n").split("\n")
    parts = []
    for line in lines:
        if line.strip() == "...":
            parts.append(r"(?:[^\n]*\n)*?")
        else:
            part = re.escape(line)
            if any_number:
                part = re.sub(r"(?:\\ )+", "[ ]+", NUMBER.sub(r"\\d[\\d,.]*", part))
            parts.append(part.replace(r"\.\.\.", "[^\n]*?") + r"[ ]*\n")
    pattern = "".join(parts)
    got = got if got.endswith("\n") or not got else got + "\n"
    if anywhere:
        return re.search("^" + pattern, got, re.M) is not None
    return re.fullmatch(pattern, got) is not None
