"""Sends many requests before it reads the first answer, then reads them all.

usage: dealer_burst.py CONNECT NAME MESSAGES
"""

import sys

import zmq

endpoint, name, messages = sys.argv[1], sys.argv[2], int(sys.argv[3])

context = zmq.Context()
dealer = context.socket(zmq.DEALER)
dealer.setsockopt_string(zmq.IDENTITY, name)
dealer.connect(endpoint)

for number in range(messages):
    dealer.send(b"%d" % number)
for number in range(messages):
    assert dealer.recv() == b"done %d" % number
print(name, "got", messages, "answers in order")

dealer.close()
context.term()
