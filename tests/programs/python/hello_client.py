"""Says Hello so many times and prints each answer. Leaves closing to the interpreter.

usage: hello_client.py CONNECT REQUESTS
"""

import sys

import zmq

endpoint, requests = sys.argv[1], int(sys.argv[2])

context = zmq.Context()
print("Connecting to the hello server")
requester = context.socket(zmq.REQ)
requester.connect(endpoint)

for number in range(requests):
    requester.send(b"Hello")
    print("asked")
    answer = requester.recv()
    print(f"Received reply {number} [ {answer} ]")
