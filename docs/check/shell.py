"""A shell, a broker and a folder for one page."""

import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import pages

HERE = Path(__file__).resolve().parent
EXAMPLES = pages.ROOT / "docs/examples"
# Builds and fetches things the first time, as the beginning of the guides does.
BUILD_S = 600
BLOCK_S = 90
OUTPUT_S = 60
# The shell says on HEAR that a block is done, and waits on TELL for the next.
LOOP = """
set -euo pipefail
while read -r next <&TELL; do
    cd "$ROOT"
    { . "$next"; } >"$next.out" 2>"$next.err" </dev/null
    echo done >&HEAR
done
"""


class Failed(Exception):
    """What a page says does not hold."""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Playground:
    def __init__(self, folder, binary, lacking):
        self.folder, self.count, self.named, self.last = folder, 0, {}, None
        (folder / "bin").mkdir()
        (folder / "bin" / "wharf").symlink_to(binary)
        # Ports of the pages, and what they are here.
        ports = {port: str(free_port()) for port in ("8080", "5672", "8000")}
        self.ports = {f"127.0.0.1:{port}": f"127.0.0.1:{here}" for port, here in ports.items()}
        config = (EXAMPLES / "wharf.toml").read_text()
        if "node" in lacking:
            config = config.partition("[[issuers]]")[0]
        else:
            subprocess.run(["node", EXAMPLES / "javascript/keys.mjs"], check=True)
        config = config.replace('"docs/examples', f'"{EXAMPLES}')
        (folder / "wharf.toml").write_text(self.here(config))
        self.environment = {
            **{name: value for name, value in os.environ.items() if "WHARF" not in name},
            "PATH": f"{folder / 'bin'}:{HERE}:{os.environ['PATH']}",
            "XDG_CONFIG_HOME": str(folder),
            "PLAYGROUND": str(folder),
            "PORT": ports["8000"],
            "WHARF_AMQP_URL": f"amqp://127.0.0.1:{ports['5672']}",
            "ROOT": str(pages.ROOT),
        }

    def here(self, text):
        for there, here in self.ports.items():
            text = text.replace(there, here)
        return text

    def __enter__(self):
        self.broker("start")
        found = re.search(r"password\W+(\S+)", (self.folder / "ready").read_text())
        self.password = found[1] if found else ""
        to_shell, from_shell = os.pipe(), os.pipe()
        self.process = subprocess.Popen(
            ["bash", "-c", LOOP.replace("TELL", str(to_shell[0])).replace("HEAR", str(from_shell[1]))],
            env=self.environment,
            pass_fds=(to_shell[0], from_shell[1]),
            start_new_session=True,
        )
        os.close(to_shell[0])
        os.close(from_shell[1])
        self.tell, self.hear = os.fdopen(to_shell[1], "w"), from_shell[0]
        os.set_blocking(self.hear, False)
        return self

    def __exit__(self, *_):
        # The shell's own session: it and what it has started.
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.tell.close()
        os.close(self.hear)
        self.broker("kill", check=False)

    def broker(self, verb, check=True):
        subprocess.run([HERE / "broker.sh", verb], env=self.environment, check=check,
                       stderr=None if check else subprocess.DEVNULL)

    def run(self, block):
        self.count += 1
        script = self.folder / f"block-{self.count}"
        text = self.here(block.text).replace("WHARF_PASSWORD=...", f"WHARF_PASSWORD={self.password}")
        if block.options.get("in") == "work":
            text = f'cd "$PLAYGROUND"\n{text}'
        script.write_text(text)
        self.last = script
        if name := block.options.get("name"):
            self.named[name] = script
        self.tell.write(f"{script}\n")
        self.tell.flush()
        builds = "once" in block.options
        end = time.monotonic() + (BUILD_S if builds else BLOCK_S)
        while True:
            try:
                if os.read(self.hear, 64):
                    return
                ended = True
            except BlockingIOError:
                ended = self.process.poll() is not None
            if ended or time.monotonic() > end:
                why = "failed" if ended else "takes too long"
                raise Failed(f"{block.line}: {why}\n{text}{self.said(script)}")
            time.sleep(0.02)

    def said(self, script):
        kept = [Path(f"{script}.{end}") for end in ("out", "err")]
        return "".join(each.read_text(errors="replace")[-3000:] for each in kept if each.exists())

    def expect(self, block):
        of = block.options.get("of")
        script = self.named[of] if of else self.last
        wanted, end = self.here(block.text), time.monotonic() + OUTPUT_S
        how = {"anywhere": bool(of), "any_number": "numbers" in block.options}
        while not pages.fits(wanted, Path(f"{script}.out").read_text(), **how):
            if time.monotonic() > end:
                raise Failed(f"{block.line}: expected\n{wanted}got\n{self.said(script)}")
            time.sleep(0.05)
