"""Request and reply with pyzmq.

Run `request_reply.py server` in one terminal and `request_reply.py client` in another, in
either order. A second argument is the endpoint.
"""

import sys

import zmq


def server(context, endpoint):
    with context.socket(zmq.REP) as replier:
        replier.bind(endpoint)
        while (question := replier.recv_string()) != "bye":
            replier.send_string(question.upper())
        replier.send_string("bye")


def client(context, endpoint):
    with context.socket(zmq.REQ) as requester:
        requester.connect(endpoint)
        for question in ("hello", "how are you?", "bye"):
            requester.send_string(question)
            print(question, "->", requester.recv_string())


if __name__ == "__main__":
    roles = {"server": server, "client": client}
    if len(sys.argv) < 2 or sys.argv[1] not in roles:
        sys.exit(__doc__)
    with zmq.Context() as shared:
        roles[sys.argv[1]](shared, sys.argv[2] if len(sys.argv) > 2 else "tcp://127.0.0.1:5555")
