"""Takes so many tasks.

usage: task_pull.py CONNECT TASKS
"""

import sys

import zmq

endpoint, tasks = sys.argv[1], int(sys.argv[2])

context = zmq.Context()
receiver = context.socket(zmq.PULL)
receiver.connect(endpoint)
print("PULL is up")

for _ in range(tasks):
    print(f"Processing task: {receiver.recv_string()}")
