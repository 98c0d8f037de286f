#!/usr/bin/env python3
"""Runs the examples of the crate `zmq` and checks what they print.

usage: zmq_crate_examples.py DIR [WORD]

DIR holds the built examples; with WORD, only the plays whose name contains it are given. Here:
which examples run together and what they have to say. Not here: how they are built (zmq-crate).
Not run: wuproxy, which connects to a machine of its author,
and msreader and mspoller, which print nothing.

The examples bind fixed ports and mostly sleep, so each play has a process and a network namespace
of its own, and several run at once. Where the system makes no namespaces, one follows the other
on this machine's ports.
"""

import concurrent.futures
import ctypes
import fcntl
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

SECONDS = 90
AT_ONCE = 5
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
SIOCSIFFLAGS, IFF_UP = 0x8914, 1


def leave_network():
    """Gives this process and its children a loopback interface of their own. False if not."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0 and libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", b"lo", IFF_UP)
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, request)
    return True


class Failure(Exception):
    """An example did not do what it should; the message says what was seen."""


class Example:
    """One running example. What it prints is kept, line by line."""

    def __init__(self, scene, name, *args):
        self.name, self.lines = name, []
        self.changed = threading.Condition()
        self.process = subprocess.Popen(
            [os.path.join(scene.directory, name), *args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=scene.tmp,
            text=True,
        )
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append(line.rstrip("\n"))
                self.changed.notify_all()

    def matches(self, pattern):
        return sum(1 for line in self.lines if re.search(pattern, line))

    def says(self, pattern, times=1):
        """Waits until so many lines match."""
        deadline = time.monotonic() + SECONDS
        with self.changed:
            while self.matches(pattern) < times:
                left = deadline - time.monotonic()
                if left <= 0 or not self.reader.is_alive():
                    break
                self.changed.wait(min(left, 1))
        self.reader.join(0 if self.process.poll() is None else 10)
        if self.matches(pattern) < times:
            raise Failure(f"{self.name} did not say {pattern!r} {times} times: {self.lines[-5:]}")

    def ends(self):
        """Waits until it has ended, well."""
        try:
            code = self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} did not end: {self.lines[-5:]}") from None
        self.reader.join(10)
        if code != 0:
            raise Failure(f"{self.name} ended with {code}: {self.lines[-5:]}")
        return self

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.reader.join()
        self.process.stdin.close()
        self.process.stdout.close()


class Scene:
    """The examples of one play, all ended when it is over."""

    def __init__(self, directory, tmp):
        self.directory, self.tmp, self.examples = directory, tmp, []

    def start(self, name, *args):
        self.examples.append(Example(self, name, *args))
        return self.examples[-1]

    def close(self):
        for example in self.examples:
            example.stop()


def version(scene):
    scene.start("version").ends().says(r"^Current 0MQ version is \d+\.\d+\.\d+$")


def msgsend(scene):
    scene.start("msgsend", "20000", "4").ends().says("^Count is 2000000$")


def helloworld(scene):
    scene.start("helloworld_server")
    scene.start("helloworld_client").ends().says("^Received World", 10)


def mtserver(scene):
    scene.start("mtserver")
    clients = [scene.start("helloworld_client") for _ in range(3)]
    for client in clients:
        client.ends().says("^Received World", 10)


def pipeline(scene, worker, sink, workers_end):
    sink = scene.start(sink)
    workers = [scene.start(worker) for _ in range(2)]
    ventilator = scene.start("taskvent")
    ventilator.says("Press Enter")
    ventilator.process.stdin.write("\n")
    ventilator.process.stdin.flush()
    ventilator.ends().says("^Total expected cost")
    sink.ends().says("^Total elapsed time")
    for one in workers if workers_end else []:
        one.ends()


def weather(scene):
    scene.start("weather_server")
    scene.start("weather_client").ends().says("^Average temperature for zipcode '10001' was")


def broker(scene, name):
    scene.start(name)
    scene.start("rrworker")
    clients = [scene.start("rrclient") for _ in range(2)]
    for client in clients:
        client.ends().says("^Received reply", 10)


def asyncsrv(scene):
    scene.start("asyncsrv").ends().says("^request #")


def synchronized(scene):
    """The subscribers leave a millisecond between subscribing and saying that they have. On a busy
    machine that is too short now and then, with any libzmq: then they miss the beginning."""
    for turn in range(3):
        publisher = scene.start("syncpub")
        subscribers = [scene.start("syncsub") for _ in range(10)]
        publisher.ends().says("^Broadcasting")
        missed = 0
        for subscriber in subscribers:
            subscriber.ends().says("^Received [0-9]+ updates$")
            missed += not subscriber.matches("^Received 1000000 updates$")
        if missed == 0:
            return
        print(f"turn {turn + 1}: {missed} subscribers came late", flush=True)
    raise Failure("some subscriber came late each time")


def envelopes(scene):
    scene.start("psenvpub")
    scene.start("psenvsub").says(r"^\[B\] ", 3)


def last_values(scene):
    scene.start("lvcache")
    scene.start("pathopub", "tcp://*:5557")
    scene.start("pathosub", "tcp://localhost:5558").says("^Save Roger$")


def logserver(scene):
    server = scene.start("stream-logserver")
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            client = socket.create_connection(("127.0.0.1", 8888), timeout=SECONDS)
            break
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise Failure("stream-logserver does not listen") from None
            time.sleep(0.05)
    with client:
        client.sendall(b"a line of a log")
        server.says("Message : a line of a log$")


# Where an example ends as soon as it has told its threads to, their last words may be missing.
SCENES = {
    "version": version,
    "msgsend": msgsend,
    "helloworld": helloworld,
    "mtserver": mtserver,
    "taskvent, taskwork, tasksink": lambda scene: pipeline(scene, "taskwork", "tasksink", False),
    "taskvent, taskwork2, tasksink2": lambda scene: pipeline(scene, "taskwork2", "tasksink2", True),
    "weather": weather,
    "rrbroker": lambda scene: broker(scene, "rrbroker"),
    "msgqueue": lambda scene: broker(scene, "msgqueue"),
    "mtrelay": lambda scene: scene.start("mtrelay").ends().says("^Test successful!$"),
    "lbbroker": lambda scene: scene.start("lbbroker").ends().says("^Client: "),
    "rtreq": lambda scene: scene.start("rtreq").ends().says("^Worker .* completed", 9),
    "rtdealer": lambda scene: scene.start("rtdealer").ends().says("^Worker .* completed", 9),
    "asyncsrv": asyncsrv,
    "fileio3": lambda scene: (
        scene.start("fileio3").ends().says(r"^\d+ chunks received, 2500000 bytes$")
    ),
    "syncpub, syncsub": synchronized,
    "psenvpub, psenvsub": envelopes,
    "pathopub, lvcache, pathosub": last_values,
    "stream-logserver": logserver,
}


def give(directory, name):
    """Gives one play in this process. True if it went as it should."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as tmp:
        scene = Scene(directory, tmp)
        try:
            SCENES[name](scene)
        except Failure as failure:
            print(f"FAIL {name}: {failure}", flush=True)
            return False
        finally:
            scene.close()
    print(f"ok {name} in {time.monotonic() - started:.1f} s", flush=True)
    return True


def give_apart(directory, name):
    """Gives one play in a process of its own."""
    script = [sys.executable, os.path.abspath(__file__), directory, "--apart", name]
    done = subprocess.run(script, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    print(done.stdout, end="", flush=True)
    return done.returncode == 0


def main():
    if len(sys.argv) not in (2, 3, 4):
        sys.exit("usage: zmq_crate_examples.py DIR [WORD]")
    directory = os.path.abspath(sys.argv[1])
    if len(sys.argv) == 4:
        leave_network()
        sys.exit(not give(directory, sys.argv[3]))
    names = [name for name in SCENES if len(sys.argv) == 2 or sys.argv[2] in name]
    probe = "import sys, zmq_crate_examples as e; sys.exit(not e.leave_network())"
    here = os.path.dirname(os.path.abspath(__file__))
    apart = subprocess.run([sys.executable, "-B", "-c", probe], cwd=here).returncode == 0
    if not apart:
        print("no network namespaces: one play after the other", flush=True)
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE if apart else 1) as pool:
        held = sum(pool.map(lambda name: give_apart(directory, name), names))
    print(f"{held} passed, {len(names) - held} failed")
    sys.exit(held < len(names))


if __name__ == "__main__":
    main()
