#!/usr/bin/env python3
"""Prints a configuration with accounts u0, u1 and so on, whose password is `pass`.

The verifier is the same for all: 4,096 iterations of SCRAM-SHA-256, as other servers have them, so that
what a login costs a client is alike.
"""

import base64
import hashlib
import hmac
import os
import subprocess
import sys

count, archive, wharf = int(sys.argv[1]), sys.argv[2], sys.argv[3]
ITERATIONS = 4096


def b64(octets):
    return base64.b64encode(octets).decode()


hashed = subprocess.run([wharf, "passwd", "hash"], input=b"pass\n", capture_output=True, check=True)
argon2 = hashed.stdout.decode().split(" ")[0].strip()
salt = os.urandom(16)
salted = hashlib.pbkdf2_hmac("sha256", b"pass", salt, ITERATIONS)
client_key = hmac.digest(salted, b"Client Key", "sha256")
server_key = hmac.digest(salted, b"Server Key", "sha256")
stored = hashlib.sha256(client_key).digest()
verifier = f"{argon2} SCRAM-SHA-256${ITERATIONS}:{b64(salt)}${b64(stored)}:{b64(server_key)}"

print(f"[xmpp]\narchive_messages_max = {archive}\n\n[log]\nlevel = \"error\"\n")
print("[listen]\nconnections_per_ip_max = 30000\nconnections_max = 30000\n" if count > 1000 else "")
for number in range(count):
    print(f'[[users]]\nname = "u{number}"\npassword_verifier = "{verifier}"')
    print('[[users.permissions]]\npattern = "xmpp:**"\nsend = true\n')
