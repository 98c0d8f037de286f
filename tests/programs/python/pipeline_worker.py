"""Parallel pipeline, middle stage: works on tasks until it is stopped.

usage: pipeline_worker.py CONNECT_TASKS CONNECT_RESULTS WORK_SECONDS
"""

import sys
import time

import zmq

tasks_at, results_at, work = sys.argv[1], sys.argv[2], float(sys.argv[3])

context = zmq.Context()
receiver = context.socket(zmq.PULL)
receiver.connect(tasks_at)
sender = context.socket(zmq.PUSH)
sender.connect(results_at)

while True:
    task = receiver.recv_string()
    print(f"Processing task: {task}")
    time.sleep(work)
    sender.send_string(f"Processed {task}")
