"""Sends each line typed, up to a lone b, and prints the answers.

usage: text_client.py CONNECT < LINES
"""

import sys

import zmq

context = zmq.Context()
requester = context.socket(zmq.REQ)
requester.connect(sys.argv[1])

while True:
    line = input("say: ").strip()
    if line == "b":
        sys.exit()
    requester.send(line.encode("utf-8"))
    print("Received reply:", requester.recv().decode("utf-8"))
