"""What the program and its sources say of themselves, as tables for docs/reference."""

import json
import re
import subprocess
import urllib.request
from base64 import b64encode

from pages import ROOT

DOCUMENTED = re.compile(r'((?:^[ ]*/// .*\n)+)[ ]*(\w+) = "([a-z:-]+)"', re.M)
# Where a condition would stand that a broker sends; what clients and tests say is left out.
SERVER = ("crates/gateway/src", "crates/chat/src", "crates/amqp/src/engine", "crates/amqp/src/codec",
          "crates/xmpp/src/server", "crates/xmpp/src/stream")


def table(heads, rows):
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def cell(text):
    return " ".join(text.split()).replace("|", "\\|")


def server_source():
    for folder in SERVER:
        for path in sorted((ROOT / folder).rglob("*.rs")):
            if "test" not in str(path.relative_to(ROOT)):
                yield path.read_text()


def conditions(path, kind):
    """Names of conditions that the server's code says somewhere, and what they mean."""
    said = "\n".join(server_source())
    for comment, variant, name in DOCUMENTED.findall((ROOT / path).read_text()):
        if re.search(rf"\b{kind}::{variant}\b", said):
            yield f"`{name}`", cell(comment.replace("///", ""))


def amqp_conditions():
    rows = conditions("crates/amqp/src/condition.rs", "Condition")
    return table(("condition", "meaning"), sorted(rows))


def stream_conditions():
    rows = conditions("crates/xmpp/src/stream_error.rs", "StreamCondition")
    return table(("stream error", "meaning"), sorted(rows))


def stanza_conditions():
    rows = conditions("crates/xmpp/src/stanza/condition.rs", "(?:Stanza)?Condition")
    return table(("stanza error", "meaning"), sorted(rows))


def problems():
    text = (ROOT / "crates/api/src/problem.rs").read_text()
    statuses, titles = text.split("pub fn status")[1].split("pub fn title")
    rows = []
    for variants, status in re.findall(r"((?:Self::\w+[ |]*)+) => (\d+)", statuses):
        for variant in re.findall(r"Self::(\w+)", variants):
            title = re.search(rf'Self::{variant} => "(.*)"', titles)[1]
            name = re.sub(r"(?<!^)(?=[A-Z])", "-", variant).lower()
            rows.append((status, f"`{name}`", title))
    return table(("status", "`code`", "title"), sorted(rows))


def operations():
    document = json.loads((ROOT / "docs/reference/openapi.json").read_text())
    rows = []
    for path, methods in document["paths"].items():
        for method, said in methods.items():
            needs = re.search(r"Needs (.*?)\.?$", said["description"])
            rows.append((f"`{method.upper()} {path}`", cell(said["summary"]),
                         needs[1] if needs else ""))
    return table(("operation", "what it does", "needs"), rows)


FAMILY = re.compile(r"^# (HELP|TYPE) (\S+) (.*)$", re.M)


def families(ground, path):
    url = ground.here(f"http://127.0.0.1:8080{path}")
    login = b64encode(f"admin:{ground.password}".encode()).decode()
    request = urllib.request.Request(url, headers={"Authorization": f"Basic {login}"})
    with urllib.request.urlopen(request) as answer:
        text = answer.read().decode()
    found = {}
    for what, name, said in FAMILY.findall(text):
        found.setdefault(name, {})[what] = said
    for name, family in found.items():
        labels = re.findall(rf'^{name}(?:_total|_info)?\{{(.*)\}}', text, re.M)
        names = {label for line in labels for label in re.findall(r'(\w+)="', line)} - {"le"}
        end = "_total" if family["TYPE"] == "counter" else "_info" if family["TYPE"] == "info" else ""
        family["labels"] = ", ".join(f"`{label}`" for label in sorted(names))
        yield name + end, family


def metrics(path):
    def made(ground):
        rows = [(f"`{name}`", family["TYPE"], family["labels"], family["HELP"].rstrip(".") + ".")
                for name, family in families(ground, path)]
        return table(("name", "type", "labels", "meaning"), rows)
    return made


COMMAND = re.compile(r"^  (\w[\w-]*) +(\S.*)$")
OPTION = re.compile(
    r"^ {2,6}((?:-\w, )?--[\w-]+(?: <[^>]*>)?|-\w(?: <[^>]*>)?|\[?<?[A-Z_]+>?\]?(?:\.\.\.)?)(?:  +(.*))?$")


def help_of(binary, words):
    run = subprocess.run(["wharf", *words, "--help"], executable=binary, capture_output=True,
                         text=True, check=True)
    return run.stdout.replace("wharf-release", "wharf")


def options(text):
    """Arguments and options, each with what is said of it."""
    found, name = {}, None
    _, _, text = text.partition("\nCommands:\n")[2 * ("\nCommands:\n" in text)].partition("\n\n")
    for line in text.splitlines():
        if match := OPTION.match(line):
            name = match[1]
            found[name] = match[2] or ""
        elif name and line.startswith("          ") and line.strip():
            item = line.strip()
            found[name] += " " + (f"`{item[2:].split(':')[0]}`:{item.partition(':')[2]};"
                                  if item.startswith("- ") and ":" in item else item)
        elif line and not line.startswith(" "):
            name = None
    found.pop("-h, --help", None)
    found.pop("-V, --version", None)
    said = {name: cell(text.rstrip(";")) for name, text in found.items()}
    return {name: text.replace(" Possible values: ", "; one of ") for name, text in said.items()}


def commands(binary, words=()):
    """Each command with its help, in the order of the help."""
    text = help_of(binary, words)
    below = text.partition("\nCommands:\n")[2].partition("\n\n")[0]
    names = [match[1] for line in below.splitlines() if (match := COMMAND.match(line))]
    yield words, text
    for name in names:
        if name != "help":
            yield from commands(binary, (*words, name))


def verbs(binary):
    said = {words: (text, options(text)) for words, text in commands(binary)}
    common = said[("user",)][1]
    lines = ["## Options of every verb that asks a broker", ""]
    lines += table(("option", "meaning"), [(f"`{name}`", text) for name, text in common.items()])
    for words, (text, found) in said.items():
        about, _, usage = text.partition("\nUsage: ")
        usage = usage.partition("\n\n")[0]
        mine = {name: said for name, said in found.items() if common.get(name) != said}
        title = " ".join(("wharf", *words))
        lines += ["", f"## `{title}`", "", cell(about).rstrip(".") + ".", "", f"    {cell(usage)}"]
        shared = [name for name in found if name in common and name not in mine]
        if len(shared) == len(common):
            lines += ["", "Asks a broker: the options above are its options too."]
        elif shared:
            named = ", ".join(f"`{name}`" for name in shared)
            lines += ["", f"Of the options above: {named}."]
        if mine:
            lines += [""] + table(("", "meaning"), [(f"`{name}`", said) for name, said in mine.items()])
    return lines
