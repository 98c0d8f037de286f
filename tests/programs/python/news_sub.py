"""Connects first and subscribes after that, then takes so many messages.

usage: news_sub.py CONNECT TOPIC MESSAGES
"""

import sys

import zmq

endpoint, topic, messages = sys.argv[1], sys.argv[2], int(sys.argv[3])

context = zmq.Context()
subscriber = context.socket(zmq.SUB)
subscriber.connect(endpoint)
subscriber.setsockopt_string(zmq.SUBSCRIBE, topic)

for _ in range(messages):
    print(f"Received: {subscriber.recv_string()}")
