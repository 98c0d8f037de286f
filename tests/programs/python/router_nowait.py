"""A ROUTER with nothing to read, read without waiting.

usage: router_nowait.py BIND
"""

import sys

import zmq

context = zmq.Context()
router = context.socket(zmq.ROUTER)
router.bind(sys.argv[1])

try:
    identity, body = router.recv_multipart(zmq.NOBLOCK)
except zmq.Again:
    print("No message received yet.")
