"""The sturdier start: publishes Hello until every subscriber has confirmed one, then data.

usage: hello_pub.py BIND BIND_SYNC SUBSCRIBERS UPDATES
"""

import sys

import zmq

data_at, sync_at, expected, updates = *sys.argv[1:3], int(sys.argv[3]), int(sys.argv[4])

context = zmq.Context()
publisher = context.socket(zmq.PUB)
publisher.sndhwm = updates + 100000
publisher.bind(data_at)
syncservice = context.socket(zmq.REP)
syncservice.bind(sync_at)

confirmed = 0
while confirmed < expected:
    publisher.send(b"Hello")
    if syncservice.poll(10):
        syncservice.recv()
        syncservice.send(b"")
        confirmed += 1
for number in range(updates):
    publisher.send(b"%d" % number)
publisher.send(b"END")

publisher.close()
syncservice.close()
context.term()
