"""Sleeps as long as each task says and reports it done, until it is stopped.

usage: batch_worker.py CONNECT_TASKS CONNECT_SINK
"""

import sys
import time

import zmq

context = zmq.Context()
receiver = context.socket(zmq.PULL)
receiver.connect(sys.argv[1])
sender = context.socket(zmq.PUSH)
sender.connect(sys.argv[2])

while True:
    workload = receiver.recv()
    sys.stdout.write(".")
    sys.stdout.flush()
    time.sleep(int(workload) * 0.001)
    sender.send(b"")
