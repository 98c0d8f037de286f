"""Receives a few very large messages and checks what they hold."""

import hashlib
import sys

import zmq

ADDRESS, SIZES = sys.argv[1], [int(size) for size in sys.argv[2:]]

context = zmq.Context()
pull = context.socket(zmq.PULL)
pull.bind(ADDRESS)
for size in SIZES:
    digest, data = pull.recv_multipart(copy=False)
    assert len(data) == size, (len(data), size)
    assert hashlib.sha256(data.buffer).hexdigest().encode() == digest.bytes
    print(f"received {size} bytes, as they were sent", flush=True)
pull.close()
context.term()
