"""Counts reports after the start signal.

usage: batch_sink.py BIND TASKS
"""

import sys
import time

import zmq

endpoint, tasks = sys.argv[1], int(sys.argv[2])

context = zmq.Context()
receiver = context.socket(zmq.PULL)
receiver.bind(endpoint)

# The start signal and the reports come over connections of their own: a worker that is connected
# sooner than the ventilator may be heard first.
heard = [receiver.recv()]
started = time.time()
for task in range(tasks):
    heard.append(receiver.recv())
    sys.stdout.write(":" if task % 10 == 0 else ".")
    sys.stdout.flush()
print("\nTotal elapsed time: %d msec" % ((time.time() - started) * 1000))
assert sorted(heard) == [b""] * tasks + [b"0"], heard
