"""Reads a PULL and a SUB as a poller says which has something.

usage: poll_two.py CONNECT_PULL CONNECT_SUB TASKS UPDATES
"""

import sys

import zmq

pull_at, sub_at, want_tasks, want_updates = *sys.argv[1:3], int(sys.argv[3]), int(sys.argv[4])

context = zmq.Context()
receiver = context.socket(zmq.PULL)
receiver.connect(pull_at)
subscriber = context.socket(zmq.SUB)
subscriber.connect(sub_at)
subscriber.setsockopt(zmq.SUBSCRIBE, b"10001")

poller = zmq.Poller()
poller.register(receiver, zmq.POLLIN)
poller.register(subscriber, zmq.POLLIN)

tasks = updates = 0
while tasks < want_tasks or updates < want_updates:
    try:
        ready = dict(poller.poll())
    except KeyboardInterrupt:
        break
    if receiver in ready:
        assert int(receiver.recv()) == tasks
        tasks += 1
    if subscriber in ready:
        assert subscriber.recv() == b"10001 20 50"
        updates += 1

print("read", tasks, "tasks and enough updates")
