"""Waits for its subscribers over REQ and REP, then publishes many updates and END.

usage: sync_pub.py BIND BIND_SYNC SUBSCRIBERS UPDATES
"""

import sys

import zmq


def main():
    data_at, sync_at, expected, updates = *sys.argv[1:3], int(sys.argv[3]), int(sys.argv[4])

    context = zmq.Context()
    publisher = context.socket(zmq.PUB)
    # Room for all of it, so that nothing is dropped for a slow subscriber.
    publisher.sndhwm = 1100000
    publisher.bind(data_at)
    syncservice = context.socket(zmq.REP)
    syncservice.bind(sync_at)

    subscribers = 0
    while subscribers < expected:
        syncservice.recv()
        syncservice.send(b"")
        subscribers += 1
        print(f"+1 subscriber ({subscribers}/{expected})")

    for _ in range(updates):
        publisher.send(b"Rhubarb")
    publisher.send(b"END")

    publisher.close()
    syncservice.close()
    context.term()


if __name__ == "__main__":
    main()
