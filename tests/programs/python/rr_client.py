"""Ten (or so) requests through a broker.

usage: rr_client.py CONNECT REQUESTS
"""

import sys

import zmq

endpoint, requests = sys.argv[1], int(sys.argv[2])

context = zmq.Context()
requester = context.socket(zmq.REQ)
requester.connect(endpoint)

for request in range(1, requests + 1):
    requester.send(b"Hello")
    print(f"Received reply {request} [{requester.recv()}]")
