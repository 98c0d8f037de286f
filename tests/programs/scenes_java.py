"""Scenarios of Java programs: on jzmq, which calls libzmq, and on JeroMQ, which is Java alone.

Here: which programs run together and what they must print. The jars are those of Debian's
libzmq-java and libjeromq-java; both offer org.zeromq.ZMQ, so the same sources serve both.
"""

import glob
import os

from harness import HERE, Failure

SCENES = {}

JZMQ = "/usr/share/java/zmq.jar"
JEROMQ = "/usr/share/java/jeromq.jar"
JNI = "/usr/lib/x86_64-linux-gnu/jni"


def scene(name, seconds=120):
    def keep(play):
        SCENES["java/" + name] = (play, seconds)
        return play

    return keep


def classes(s):
    """Compiles the sources once per build directory and change."""
    places = (os.path.join(HERE, "java"), os.path.join(HERE, "../../examples/java"))
    sources = sorted(path for place in places for path in glob.glob(f"{place}/*.java"))
    target = os.path.join(s.setup.build_dir, "java")
    stamp = os.path.join(target, "compiled")
    newest = max(os.path.getmtime(path) for path in sources)
    if not os.path.exists(stamp) or os.path.getmtime(stamp) < newest:
        if not os.path.exists(JZMQ):
            raise Failure(f"{JZMQ} is missing: install libzmq-java and libzmq-jni")
        os.makedirs(target, exist_ok=True)
        s.setup.run(["javac", "-d", target, "-cp", JZMQ, *sources])
        with open(stamp, "w", encoding="ascii"):
            pass
    return target


def java(s, name, *args, jar=JZMQ, stdin=False):
    argv = ["java", "-Xshare:auto", f"-Djava.library.path={JNI}", "-cp", f"{classes(s)}:{jar}"]
    return s.start(f"{name}.java", [*argv, name, *args], stdin)


@scene("hello")
def hello(s):
    bind, connect = s.tcp()
    server = java(s, "HelloServer", bind, 10)
    java(s, "HelloClient", connect, 10).ends().shows(r"Received World \d", 10)
    server.ends().shows("Received Hello", 10)


@scene("weather")
def weather(s):
    bind, connect = s.tcp()
    server = java(s, "WeatherServer", bind, s.ipc("weather"))
    client = java(s, "WeatherClient", connect, "10001", 100)
    other = java(s, "WeatherClient", s.ipc("weather"), "12", 100)
    client.ends().shows(r"Average temperature for zipcode '10001' was -?\d+")
    other.ends().shows(r"Average temperature for zipcode '12' was -?\d+")
    server.stop()


@scene("batch")
def batch(s):
    tasks_bind, tasks_connect = s.tcp()
    sink_bind, sink_connect = s.tcp()
    sink = java(s, "TaskSink", sink_bind, 100)
    workers = [java(s, "TaskWork", tasks_connect, sink_connect) for _ in range(2)]
    vent = java(s, "TaskVent", tasks_bind, sink_connect, 100, stdin=True)
    vent.says("Press Enter")
    vent.type("\n")
    vent.ends().shows(r"Total expected cost: \d+ msec")
    sink.ends().shows(r"[:.]{100}").shows(r"Total elapsed time: \d+ msec")
    done = sum(worker.out.count(".") for worker in workers)
    s.check(done == 100, f"workers did {done} of 100 tasks")
    for worker in workers:
        worker.stop()


@scene("jeromq-client")
def jeromq_client(s):
    """The other implementation asks, libzmq answers."""
    bind, _ = s.tcp()
    connect = "tcp://127.0.0.1:" + bind.rpartition(":")[2]
    server = java(s, "HelloServer", bind, 10)
    client = java(s, "HelloClient", connect, 10, jar=JEROMQ)
    client.ends().shows(r"Received World \d", 10)
    server.ends().shows("Received Hello", 10)


@scene("jeromq-server")
def jeromq_server(s):
    """libzmq asks, the other implementation answers."""
    bind, connect = s.tcp()
    server = java(s, "HelloServer", bind, 10, jar=JEROMQ)
    java(s, "HelloClient", connect, 10).ends().shows(r"Received World \d", 10)
    server.ends().shows("Received Hello", 10)
