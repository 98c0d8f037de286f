"""Parallel pipeline, last stage: waits for the start signal, then collects the results.

usage: pipeline_sink.py BIND_RESULTS BIND_SYNC TASKS
"""

import sys

import zmq

results_at, sync_at, tasks = sys.argv[1], sys.argv[2], int(sys.argv[3])

context = zmq.Context()
receiver = context.socket(zmq.PULL)
receiver.bind(results_at)
sync_receiver = context.socket(zmq.PULL)
sync_receiver.bind(sync_at)

print("Waiting for the start")
sync_receiver.recv()
print("Collecting results")
results = [receiver.recv_string() for _ in range(tasks)]
assert sorted(results) == sorted(f"Processed Task {n}" for n in range(tasks)), results
print("all", tasks, "results, each once")

receiver.close()
sync_receiver.close()
context.term()
