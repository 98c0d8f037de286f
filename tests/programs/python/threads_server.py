"""Worker threads behind a proxy in one process: ROUTER on tcp, DEALER on inproc.

usage: threads_server.py BIND THREADS WORK_SECONDS
"""

import sys
import threading
import time

import zmq


def worker(url, work, context=None):
    context = context or zmq.Context.instance()
    replier = context.socket(zmq.REP)
    replier.connect(url)
    while True:
        request = replier.recv()
        print(f"Received request: [ {request} ]")
        time.sleep(work)
        replier.send(b"World")


def main():
    clients_at, threads, work = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    workers_at = "inproc://workers"

    context = zmq.Context.instance()
    clients = context.socket(zmq.ROUTER)
    clients.bind(clients_at)
    workers = context.socket(zmq.DEALER)
    workers.bind(workers_at)

    for _ in range(threads):
        thread = threading.Thread(target=worker, args=(workers_at, work))
        thread.daemon = True
        thread.start()
    zmq.proxy(clients, workers)


if __name__ == "__main__":
    main()
