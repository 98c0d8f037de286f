"""Request and reply as text; a ZMQError ends the server.

usage: text_server.py BIND REQUESTS
"""

import sys

import zmq

endpoint, requests = sys.argv[1], int(sys.argv[2])

context = zmq.Context()
replier = context.socket(zmq.REP)
replier.bind(endpoint)

for _ in range(requests):
    try:
        text = replier.recv().decode("utf-8")
        print(f"Received request: {text}")
        replier.send(b"World from server!")
    except zmq.ZMQError as error:
        print("failed:", error)
        sys.exit(1)

# REP answers only what it was asked: sending twice is a state error, not a hang.
try:
    replier.send(b"nobody asked")
except zmq.ZMQError as error:
    print("refused:", error.errno == zmq.EFSM)

replier.close()
context.term()
