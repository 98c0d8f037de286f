"""Feeds readers of two sockets: tasks on a PUSH, weather on a PUB, until it is stopped.

usage: two_sources.py BIND_PUSH BIND_PUB TASKS PAUSE_SECONDS
"""

import sys
import time

import zmq

push_at, pub_at, tasks, pause = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])

context = zmq.Context()
ventilator = context.socket(zmq.PUSH)
ventilator.bind(push_at)
weather = context.socket(zmq.PUB)
weather.bind(pub_at)

for task in range(tasks):
    ventilator.send(b"%d" % task)
while True:
    for zipcode in (9999, 10000, 10001, 10002):
        weather.send_string(f"{zipcode} 20 50")
    time.sleep(pause)
