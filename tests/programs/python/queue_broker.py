"""The same broker made of zmq.proxy; Ctrl-C ends it.

usage: queue_broker.py BIND_CLIENTS BIND_WORKERS
"""

import sys

import zmq


def main():
    context = zmq.Context()
    frontend = context.socket(zmq.ROUTER)
    frontend.bind(sys.argv[1])
    backend = context.socket(zmq.DEALER)
    backend.bind(sys.argv[2])
    print("ready")
    try:
        zmq.proxy(frontend, backend)
    except KeyboardInterrupt:
        print("interrupted")
    frontend.close()
    backend.close()
    context.term()


if __name__ == "__main__":
    main()
