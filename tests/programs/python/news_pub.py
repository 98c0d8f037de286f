"""Publishes topic and text in one string, round after round, until it is stopped.

usage: news_pub.py BIND PAUSE_SECONDS TOPIC...
"""

import sys
import time

import zmq

endpoint, pause, topics = sys.argv[1], float(sys.argv[2]), sys.argv[3:]

context = zmq.Context()
publisher = context.socket(zmq.PUB)
publisher.bind(endpoint)

while True:
    for topic in topics:
        publisher.send_string(f"{topic} Hello, subscribers!")
    time.sleep(pause)
