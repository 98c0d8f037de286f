"""Takes states from any number of DEALERs and returns an action to each, both in JSON.

usage: json_router.py BIND MESSAGES
"""

import json
import sys

import zmq

endpoint, messages = sys.argv[1], int(sys.argv[2])

context = zmq.Context()
router = context.socket(zmq.ROUTER)
router.bind(endpoint)
print("ROUTER waits")

peers = {}
for _ in range(messages):
    identity, body = router.recv_multipart()
    state = json.loads(body)
    step = peers.get(identity, 0)
    # Interleaved between peers, in order from each one.
    assert state["step"] == step, (identity, state, step)
    assert state["velocity"] == [3.0, 4.0] and state["altitude"] == 1000
    peers[identity] = step + 1
    action = {"action": "some_action", "step": step}
    router.send_multipart([identity, json.dumps(action).encode()])

print("peers", len(peers), "states", sum(peers.values()))
router.close()
context.term()
