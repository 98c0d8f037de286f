"""Subscribes, gives the connection time, tells the publisher, and counts to END.

usage: sync_sub.py CONNECT CONNECT_SYNC PAUSE_SECONDS
"""

import sys
import time

import zmq


def main():
    data_at, sync_at, pause = sys.argv[1], sys.argv[2], float(sys.argv[3])

    context = zmq.Context()
    subscriber = context.socket(zmq.SUB)
    subscriber.connect(data_at)
    subscriber.setsockopt(zmq.SUBSCRIBE, b"")

    # As the program was first written: there is no order between this connection and the
    # next one, hence the pause. hello_sub.py does without.
    time.sleep(pause)

    syncclient = context.socket(zmq.REQ)
    syncclient.connect(sync_at)
    syncclient.send(b"")
    syncclient.recv()

    updates = 0
    while subscriber.recv() != b"END":
        updates += 1
    print(f"Received {updates} updates")


if __name__ == "__main__":
    main()
