"""An HTTP server on a ROUTER with ZMQ_ROUTER_RAW: octets as they are, no frames of ZeroMQ's.

Answers as many requests as it is told, to whatever speaks HTTP, and ends each connection.
"""

import sys

import zmq

ADDRESS, COUNT = sys.argv[1], int(sys.argv[2])

context = zmq.Context()
router = context.socket(zmq.ROUTER)
router.setsockopt(zmq.ROUTER_RAW, 1)
router.bind(ADDRESS)
print("serving", flush=True)

requests = {}
answered = 0
while answered < COUNT:
    peer, octets = router.recv_multipart()
    requests[peer] = requests.get(peer, b"") + octets
    if not requests[peer].endswith(b"\r\n\r\n"):
        continue
    line = requests.pop(peer).split(b"\r\n", 1)[0].decode()
    print("request:", line, flush=True)
    body = f"You asked: {line}\n".encode()
    head = f"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n"
    router.send_multipart([peer, head.encode() + body])
    router.send_multipart([peer, b""])  # an empty part ends the connection
    answered += 1

router.close()
context.term()
