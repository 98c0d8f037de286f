"""Confirms the first Hello, then checks that every update arrives, in order.

usage: hello_sub.py CONNECT CONNECT_SYNC
"""

import sys

import zmq

data_at, sync_at = sys.argv[1:]

context = zmq.Context()
subscriber = context.socket(zmq.SUB)
subscriber.connect(data_at)
subscriber.setsockopt(zmq.SUBSCRIBE, b"")

assert subscriber.recv() == b"Hello"
syncclient = context.socket(zmq.REQ)
syncclient.connect(sync_at)
syncclient.send(b"")
syncclient.recv()

updates = 0
while (message := subscriber.recv()) != b"END":
    if message != b"Hello":
        assert int(message) == updates, (message, updates)
        updates += 1
print(f"Received {updates} updates")
