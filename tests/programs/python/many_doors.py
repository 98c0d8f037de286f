"""One REP bound to two tcp ports, a file and an inproc name, asked through all of them.

usage: many_doors.py IPC_ENDPOINT
"""

import sys

import zmq

context = zmq.Context()
replier = context.socket(zmq.REP)
doors = []
for endpoint in ("tcp://*:*", "tcp://127.0.0.1:*", sys.argv[1], "inproc://somename"):
    replier.bind(endpoint)
    doors.append(replier.getsockopt_string(zmq.LAST_ENDPOINT).rstrip("\0"))

for door in doors:
    requester = context.socket(zmq.REQ)
    requester.connect(door.replace("0.0.0.0", "localhost"))
    requester.send_string(door.split(":")[0])
    request = replier.recv_string()
    replier.send_string(f"through {request}")
    print(requester.recv_string())
    requester.close()

replier.close()
context.term()
