"""Hands out numbered tasks as strings, then closes: what is queued must still leave.

usage: task_push.py BIND TASKS
"""

import sys

import zmq

endpoint, tasks = sys.argv[1], int(sys.argv[2])

context = zmq.Context()
sender = context.socket(zmq.PUSH)
sender.bind(endpoint)
print("PUSH is up")

for task in range(tasks):
    sender.send_string(f"Task {task}")
    print(f"Sent task: Task {task}")

sender.close()
context.term()
