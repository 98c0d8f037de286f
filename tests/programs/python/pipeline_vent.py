"""Parallel pipeline, first stage: on Enter, signals the sink and hands out the tasks.

usage: pipeline_vent.py BIND_TASKS CONNECT_SYNC TASKS
"""

import sys

import zmq

tasks_at, sync_at, tasks = sys.argv[1], sys.argv[2], int(sys.argv[3])

context = zmq.Context()
sender = context.socket(zmq.PUSH)
sender.bind(tasks_at)
sync_sender = context.socket(zmq.PUSH)
sync_sender.connect(sync_at)

print("Press Enter when the workers are ready: ")
input()
print("Sending tasks to workers")
sync_sender.send(b"0")
for task in range(tasks):
    sender.send_string(f"Task {task}")

sender.close()
sync_sender.close()
context.term()
