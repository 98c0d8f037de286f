"""Moves whole messages between clients and workers, until so many answers have passed.

usage: rr_broker.py BIND_CLIENTS BIND_WORKERS REPLIES
"""

import sys

import zmq

clients_at, workers_at, replies = sys.argv[1], sys.argv[2], int(sys.argv[3])

context = zmq.Context()
frontend = context.socket(zmq.ROUTER)
backend = context.socket(zmq.DEALER)
frontend.bind(clients_at)
backend.bind(workers_at)

poller = zmq.Poller()
poller.register(frontend, zmq.POLLIN)
poller.register(backend, zmq.POLLIN)

while replies:
    ready = dict(poller.poll())
    if ready.get(frontend) == zmq.POLLIN:
        message = frontend.recv_multipart()
        assert len(message) == 3 and message[1] == b"", message
        backend.send_multipart(message)
    if ready.get(backend) == zmq.POLLIN:
        frontend.send_multipart(backend.recv_multipart())
        replies -= 1

frontend.close()
backend.close()
context.term()
