"""A REP that connects, behind a broker; works until it is stopped.

usage: rr_worker.py CONNECT
"""

import sys

import zmq

context = zmq.Context()
replier = context.socket(zmq.REP)
replier.connect(sys.argv[1])

while True:
    request = replier.recv()
    print(f"Received request: {request}")
    replier.send(b"World")
