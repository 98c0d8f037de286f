"""The sink as first written: a plain PUB sends the kill signal after the batch.

usage: kill_sink_pub.py BIND BIND_CONTROL TASKS
"""

import sys

import zmq

endpoint, control_at, tasks = sys.argv[1], sys.argv[2], int(sys.argv[3])

context = zmq.Context()
receiver = context.socket(zmq.PULL)
receiver.bind(endpoint)
controller = context.socket(zmq.PUB)
controller.bind(control_at)

receiver.recv()
for _ in range(tasks):
    receiver.recv()
controller.send(b"KILL")
print("batch complete")

receiver.close()
controller.close()
context.term()
