"""Publish and subscribe with pyzmq, without losing the first messages.

The publisher waits until somebody subscribes: an XPUB shows subscriptions as messages.
Run `publish_subscribe.py publisher` and `publish_subscribe.py subscriber` in either order.
A second argument is the endpoint.
"""

import sys

import zmq


def publisher(context, endpoint):
    with context.socket(zmq.XPUB) as socket:
        socket.bind(endpoint)
        print("subscribed to:", socket.recv()[1:].decode())
        for number in range(10):
            socket.send_multipart([b"even" if number % 2 == 0 else b"odd", b"%d" % number])
        socket.send_multipart([b"even", b"end"])


def subscriber(context, endpoint):
    with context.socket(zmq.SUB) as socket:
        socket.subscribe("even")
        socket.connect(endpoint)
        while True:
            topic, content = socket.recv_multipart()
            if content == b"end":
                break
            print(topic.decode(), content.decode())


if __name__ == "__main__":
    roles = {"publisher": publisher, "subscriber": subscriber}
    if len(sys.argv) < 2 or sys.argv[1] not in roles:
        sys.exit(__doc__)
    with zmq.Context() as shared:
        roles[sys.argv[1]](shared, sys.argv[2] if len(sys.argv) > 2 else "tcp://127.0.0.1:5556")
