"""Hands out random workloads in milliseconds after a start signal to the sink.

usage: batch_vent.py BIND_TASKS CONNECT_SINK TASKS
"""

import random
import sys

import zmq

tasks_at, sink_at, tasks = sys.argv[1], sys.argv[2], int(sys.argv[3])

context = zmq.Context()
sender = context.socket(zmq.PUSH)
sender.bind(tasks_at)
sink = context.socket(zmq.PUSH)
sink.connect(sink_at)

print("Press Enter when the workers are ready: ")
input()
sink.send(b"0")

total = 0
for _ in range(tasks):
    workload = random.randint(1, 10)
    total += workload
    sender.send_string(f"{workload}")
print(f"Total expected cost: {total} msec")

sink.close()
sender.close()
context.term()
