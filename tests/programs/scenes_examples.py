"""Scenarios of the user's examples in examples/: what stands there must work as it stands."""

import os

import scenes_java
from harness import HERE
from scenes_native import C_FLAGS, CXX_FLAGS, build

SCENES = {}
EXAMPLES = os.path.join(HERE, "../../examples")


def scene(name, needs_python=False):
    def keep(play):
        play.needs_python = needs_python
        SCENES["examples/" + name] = (play, 120)
        return play

    return keep


def python(s, name, *args):
    return s.start(name, [s.setup.python, os.path.join(EXAMPLES, "python", name), *args])


def c(s, name, *args, stdin=False):
    program = build(s, os.path.join("../../examples/c", name), "gcc", C_FLAGS)
    return s.start(name, [program, *args], stdin)


@scene("python-request-reply", needs_python=True)
def python_request_reply(s):
    _, endpoint = s.tcp()
    endpoint = endpoint.replace("localhost", "127.0.0.1")
    client = python(s, "request_reply.py", "client", endpoint)
    server = python(s, "request_reply.py", "server", endpoint)
    client.ends().shows("hello -> HELLO").shows("bye -> bye")
    server.ends()


@scene("python-publish-subscribe", needs_python=True)
def python_publish_subscribe(s):
    endpoint = f"tcp://127.0.0.1:{s.port()}"
    publisher = python(s, "publish_subscribe.py", "publisher", endpoint)
    subscriber = python(s, "publish_subscribe.py", "subscriber", endpoint)
    subscriber.ends().shows(r"even [02468]", 5).shows("odd.*", 0)
    publisher.ends().shows("subscribed to: even")


@scene("python-asyncio-pipeline", needs_python=True)
def python_asyncio(s):
    python(s, "asyncio_pipeline.py").ends().shows("sum of squares: 8555")


@scene("c-request-reply")
def c_request_reply(s):
    endpoint = f"tcp://127.0.0.1:{s.port()}"
    client = c(s, "request_reply.c", "client", endpoint)
    server = c(s, "request_reply.c", "server", endpoint)
    client.ends().shows("echo: hello").shows(r"echo: is it you\?")
    server.ends()


@scene("c-poll-many")
def c_poll_many(s):
    program = c(s, "poll_many.c", stdin=True)
    program.says("connected")
    program.type("typed\n")
    program.ends().shows("message: typed")


@scene("cpp-router-dealer")
def cpp_router_dealer(s):
    flags = ["-std=c++17", *CXX_FLAGS]
    program = build(s, "../../examples/cpp/router_dealer.cpp", "g++", flags)
    output = s.start("router_dealer.cpp", [program]).ends()
    for number in (1, 2, 3):
        output.shows(f"{number} squared is {number * number}")


@scene("java-request-reply")
def java_request_reply(s):
    scenes_java.java(s, "RequestReply").ends().shows("you said (one|two|three)", 3)
