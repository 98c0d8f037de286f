"""Ctrl-C during a receive becomes KeyboardInterrupt, and everything closes.

usage: interrupt.py BIND
"""

import sys

import zmq

context = zmq.Context()
replier = context.socket(zmq.REP)
replier.bind(sys.argv[1])

try:
    print("waiting")
    replier.recv()
except KeyboardInterrupt:
    print("W: interrupt received, stopping")
finally:
    replier.close()
    context.term()
print("closed")
