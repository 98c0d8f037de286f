"""Certificates that the command `aught` writes, read by pyzmq, and the other way round; and a
server with such keys, audited.

usage: certificates.py AUGHT
"""

import os
import subprocess
import sys

import zmq
import zmq.auth
from zmq.auth.thread import ThreadAuthenticator


def aught(*args, status=0):
    """Runs the command; returns what it printed, as names and values."""
    done = subprocess.run(
        [sys.argv[1], *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert done.returncode == status, f"{args}: {done.returncode}\n{done.stdout}"
    lines = (line.strip().partition(": ") for line in done.stdout.splitlines())
    return {name: value for name, _, value in lines}, done.stdout


# Ours, read by pyzmq.
told, _ = aught("keygen", "alice", "--metadata", "name=Alice")
public, secret = zmq.auth.load_certificate("alice.key_secret")
assert public.decode() == told["public-key"]
assert zmq.curve_public(secret) == public
assert zmq.auth.load_certificate("alice.key") == (public, None)
assert os.stat("alice.key_secret").st_mode & 0o777 == 0o600
print("pyzmq reads what aught wrote")

# Theirs, read by us.
zmq.auth.create_certificates(".", "bob", {"name": "Bob", "email": "bob@example.org"})
bob_public, bob_secret = zmq.auth.load_certificate("bob.key_secret")
told, text = aught("keygen", "--read", "bob.key_secret")
assert told["public-key"] == bob_public.decode() and told["name"] == "Bob", text
assert bob_secret.decode() not in text
told, _ = aught("keygen", "--read", "bob.key_secret", "--show-secret")
assert told["secret-key"] == bob_secret.decode()
told, _ = aught("keygen", "--secret", "bob.key_secret")
assert told["public-key"] == bob_public.decode()
print("aught reads what pyzmq wrote")

# A directory of certificates is what an authenticator lets in.
assert set(zmq.auth.load_certificates(".")) == {public, bob_public}
context = zmq.Context()
authenticator = ThreadAuthenticator(context)
authenticator.start()
authenticator.configure_curve(domain="*", location=".")
server = context.socket(zmq.REP)
server.curve_publickey, server.curve_secretkey, server.curve_server = bob_public, bob_secret, True
port = server.bind_to_random_port("tcp://127.0.0.1")
endpoint = f"tcp://127.0.0.1:{port}"
client = context.socket(zmq.REQ)
client.curve_publickey, client.curve_secretkey = public, secret
client.curve_serverkey = bob_public
client.connect(endpoint)
client.send(b"hello")
assert server.recv() == b"hello"
server.send(b"welcome")
assert client.recv() == b"welcome"
_, text = aught("audit", endpoint)
assert "CURVE" in text and "protected" in text, text
_, text = aught("audit", "--server-key", bob_public.decode(), endpoint)
assert "denied with status 400" in text, text
print("who has a certificate is let in, and a stranger is not")

null = context.socket(zmq.REP)
port = null.bind_to_random_port("tcp://127.0.0.1")
_, text = aught("audit", f"tcp://127.0.0.1:{port}", status=1)
assert "is let in as REQ" in text, text
print("a stranger is let in where nobody asks")
for socket in (client, server, null):
    socket.close(0)
authenticator.stop()
context.term()
