"""Carries every update from an inner to an outer network, whole messages at a time.

usage: weather_proxy.py CONNECT BIND
"""

import sys

import zmq

inner, outer = sys.argv[1:]

context = zmq.Context()
frontend = context.socket(zmq.SUB)
frontend.connect(inner)
backend = context.socket(zmq.PUB)
backend.bind(outer)
frontend.setsockopt(zmq.SUBSCRIBE, b"")

while True:
    backend.send_multipart(frontend.recv_multipart())
