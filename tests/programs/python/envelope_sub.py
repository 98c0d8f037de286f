"""Subscribes to one envelope: the content never takes part in the matching.

usage: envelope_sub.py CONNECT MESSAGES
"""

import sys

import zmq


def main():
    context = zmq.Context()
    subscriber = context.socket(zmq.SUB)
    subscriber.connect(sys.argv[1])
    subscriber.setsockopt(zmq.SUBSCRIBE, b"B")
    for _ in range(int(sys.argv[2])):
        [address, contents] = subscriber.recv_multipart()
        print(f"[{address.decode()}] {contents.decode()}")
    subscriber.close()
    context.term()


if __name__ == "__main__":
    main()
