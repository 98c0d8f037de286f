"""Publishes two-part messages, envelope and content, until it is stopped.

usage: envelope_pub.py BIND PAUSE_SECONDS
"""

import sys
import time

import zmq


def main():
    context = zmq.Context()
    publisher = context.socket(zmq.PUB)
    publisher.bind(sys.argv[1])
    while True:
        publisher.send_multipart([b"A", b"We don't want to see this"])
        publisher.send_multipart([b"B", b"We would like to see this"])
        time.sleep(float(sys.argv[2]))


if __name__ == "__main__":
    main()
