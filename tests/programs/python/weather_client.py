"""Mean temperature of one place, over so many updates.

usage: weather_client.py CONNECT ZIP UPDATES
"""

import sys

import zmq

endpoint, place, updates = sys.argv[1], sys.argv[2], int(sys.argv[3])

context = zmq.Context()
subscriber = context.socket(zmq.SUB)
print("Collecting updates from the weather server")
subscriber.connect(endpoint)
subscriber.setsockopt_string(zmq.SUBSCRIBE, place)

total = 0
for _ in range(updates):
    zipcode, temperature, humidity = subscriber.recv_string().split()
    assert zipcode.startswith(place) and 10 <= int(humidity) < 60
    total += int(temperature)
print("Average temperature for zipcode '%s' was %dF" % (place, total / updates))
