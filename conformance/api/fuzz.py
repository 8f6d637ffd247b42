"""Requests made of the document at random, by schemathesis."""

import subprocess
import sys
import tempfile
from pathlib import Path

# What is left out, and why: `drain` ends what the other requests are for (cases_people has it);
# `reload` would read a file that is not there. A user who is removed or changed at random may be the one
# that asks, so that names are those of a user who may do everything and is not in the way.
LEFT_OUT = ["drain", "reload"]

# What is not asked of the answers: that every request the document does not allow is refused (a name may be one that
# the document cannot exclude), and that what was made or removed is there or not in the next step, as others do the same.
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


def fuzz(world, examples, seed):
    """What went wrong, or None."""
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "run",
        f"http://{world.address}/api/openapi.json",
        "--header", f"Authorization: {world.api.authorization}",
        "--checks", CHECKS, "--max-examples", str(examples), "--seed", str(seed),
        "--phases", "examples,coverage,fuzzing", "--mode", "all", "--no-color",
        "--suppress-health-check", "all", "--request-timeout", "60",
        *[part for name in LEFT_OUT for part in ("--exclude-operation-id", name)],
    ]
    # It leaves notes of its own where it runs.
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1200,
                              cwd=folder)
    if done.returncode == 0:
        return None
    return (done.stdout + done.stderr)[-6000:]
