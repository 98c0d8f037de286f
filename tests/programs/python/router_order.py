"""Reads slower than its DEALERs send: bursts queue up, and no peer's order is disturbed.

usage: router_order.py BIND NAME=MESSAGES...
"""

import sys

import zmq

endpoint = sys.argv[1]
expected = {name.encode(): int(n) for name, n in (a.split("=") for a in sys.argv[2:])}

context = zmq.Context()
router = context.socket(zmq.ROUTER)
router.bind(endpoint)

seen = dict.fromkeys(expected, 0)
for _ in range(sum(expected.values())):
    identity, body = router.recv_multipart()
    assert int(body) == seen[identity], (identity, body, seen)
    seen[identity] += 1
    router.send_multipart([identity, b"done " + body])
assert seen == expected
print("in order:", " ".join(f"{k.decode()}={v}" for k, v in sorted(seen.items())))

router.close()
context.term()
