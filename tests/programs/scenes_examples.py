"""Scenarios of the user's examples in examples/: what stands there must work as it stands."""

import os

import scenes_java
from harness import HERE
from scenes_native import C_FLAGS, CXX_FLAGS, build, valgrind

SCENES = {}
EXAMPLES = os.path.join(HERE, "../../examples")


def scene(name, seconds=120, needs_python=False):
    def keep(play):
        play.needs_python = needs_python
        SCENES["examples/" + name] = (play, seconds)
        return play

    return keep


def python(s, name, *args):
    return s.start(name, [s.setup.python, os.path.join(EXAMPLES, "python", name), *args])


def c(s, name, *args, stdin=False, under=()):
    program = build(s, os.path.join("../../examples/c", name), "gcc", C_FLAGS)
    return s.start(name, [*under, program, *args], stdin)


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
def c_request_reply(s, under=()):
    endpoint = f"tcp://127.0.0.1:{s.port()}"
    client = c(s, "request_reply.c", "client", endpoint, under=under)
    server = c(s, "request_reply.c", "server", endpoint, under=under)
    client.ends().shows("echo: hello").shows(r"echo: is it you\?")
    server.ends()


@scene("c-poll-many")
def c_poll_many(s, under=()):
    program = c(s, "poll_many.c", stdin=True, under=under)
    program.says("connected")
    program.type("typed\n")
    program.ends().shows("message: typed")


@scene("c-valgrind", 300)
def c_valgrind(s):
    """No invalid access, no use of undefined bytes, nothing lost."""
    played = {"request_reply.c": c_request_reply, "poll_many.c": c_poll_many}
    names = {name for name in os.listdir(os.path.join(EXAMPLES, "c")) if name.endswith(".c")}
    s.check(names == set(played), f"not played: {sorted(names ^ set(played))}")
    for play in played.values():
        play(s, valgrind())
    s.detail = f"{len(played)} programs"


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
