"""Answers each request with World, after a while of work.

usage: hello_server.py BIND REQUESTS WORK_SECONDS
"""

import sys
import time

import zmq

endpoint, requests, work = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])

context = zmq.Context()
replier = context.socket(zmq.REP)
replier.bind(endpoint)
print("ready")

for _ in range(requests):
    request = replier.recv()
    print("Received request: %s" % request)
    time.sleep(work)
    replier.send(b"World")

replier.close()
context.term()
