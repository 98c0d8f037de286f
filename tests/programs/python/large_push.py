"""Sends a few very large messages, and what their contents add up to."""

import hashlib
import sys

import zmq

ADDRESS, SIZES = sys.argv[1], [int(size) for size in sys.argv[2:]]

context = zmq.Context()
push = context.socket(zmq.PUSH)
push.connect(ADDRESS)
for size in SIZES:
    block = hashlib.sha256(str(size).encode()).digest() * 4096
    data = (block * (size // len(block) + 1))[:size]
    digest = hashlib.sha256(data).hexdigest()
    push.send_multipart([digest.encode(), data], copy=False)
    print(f"sent {size} bytes", flush=True)
push.close()
context.term()
