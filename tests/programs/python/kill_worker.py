"""A worker with a second, controlling socket: anything there ends it.

usage: kill_worker.py CONNECT_TASKS CONNECT_SINK CONNECT_CONTROL
"""

import sys
import time

import zmq

context = zmq.Context()
receiver = context.socket(zmq.PULL)
receiver.connect(sys.argv[1])
sender = context.socket(zmq.PUSH)
sender.connect(sys.argv[2])
controller = context.socket(zmq.SUB)
controller.connect(sys.argv[3])
controller.setsockopt(zmq.SUBSCRIBE, b"")

poller = zmq.Poller()
poller.register(receiver, zmq.POLLIN)
poller.register(controller, zmq.POLLIN)

done = 0
while True:
    ready = dict(poller.poll())
    if ready.get(receiver) == zmq.POLLIN:
        task = receiver.recv_string()
        time.sleep(int(task) / 1000.0)
        sender.send_string(task)
        done += 1
    if ready.get(controller) == zmq.POLLIN:
        assert controller.recv() == b"KILL"
        break
print("worked", done)

receiver.close()
sender.close()
controller.close()
context.term()
