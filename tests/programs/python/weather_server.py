"""Random weather for random places, as fast as it goes, until it is stopped.

usage: weather_server.py BIND [BIND...]
"""

import sys
from random import randrange

import zmq

context = zmq.Context()
publisher = context.socket(zmq.PUB)
for endpoint in sys.argv[1:]:
    publisher.bind(endpoint)

while True:
    zipcode = randrange(1, 100000)
    temperature = randrange(-80, 135)
    humidity = randrange(10, 60)
    publisher.send_string("%i %i %i" % (zipcode, temperature, humidity))
