"""A sink that publishes a kill signal when its batch is complete.

usage: kill_sink.py BIND BIND_CONTROL TASKS WORKERS
"""

import sys
import time

import zmq

endpoint, control_at, tasks, workers = *sys.argv[1:3], int(sys.argv[3]), int(sys.argv[4])

context = zmq.Context()
receiver = context.socket(zmq.PULL)
receiver.bind(endpoint)
# XPUB is PUB with the subscriptions shown, so that no worker can miss the signal.
controller = context.socket(zmq.XPUB)
controller.setsockopt(zmq.XPUB_VERBOSE, 1)
controller.bind(control_at)
for _ in range(workers):
    assert controller.recv() == b"\x01"
print("workers listen")

receiver.recv()
started = time.time()
for task in range(tasks):
    receiver.recv()
    sys.stdout.write(":" if task % 10 == 0 else ".")
    sys.stdout.flush()
print("\nTotal elapsed time: %d msec" % ((time.time() - started) * 1000))
controller.send(b"KILL")

receiver.close()
controller.close()
context.term()
