"""Reads a PULL and a SUB with calls that do not wait, and naps when both are empty.

usage: read_two.py CONNECT_PULL CONNECT_SUB TASKS UPDATES
"""

import sys
import time

import zmq

pull_at, sub_at, want_tasks, want_updates = *sys.argv[1:3], int(sys.argv[3]), int(sys.argv[4])

context = zmq.Context()
receiver = context.socket(zmq.PULL)
receiver.connect(pull_at)
subscriber = context.socket(zmq.SUB)
subscriber.connect(sub_at)
subscriber.setsockopt(zmq.SUBSCRIBE, b"10001")

tasks = updates = 0
while tasks < want_tasks or updates < want_updates:
    while True:
        try:
            task = receiver.recv(zmq.DONTWAIT)
        except zmq.Again:
            break
        assert int(task) == tasks
        tasks += 1
    while True:
        try:
            update = subscriber.recv(zmq.DONTWAIT)
        except zmq.Again:
            break
        assert update == b"10001 20 50"
        updates += 1
    time.sleep(0.001)

print("read", tasks, "tasks and enough updates")
