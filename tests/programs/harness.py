"""Processes of one scenario: starting, feeding, awaiting and ending them.

Here: what every scenario shares. Not here: the scenarios (scenes_*.py) and the choice of
which to run (run.py).
"""

import contextlib
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))


class Failure(Exception):
    """A scenario did not do what it should; the message says what was seen."""


class Setup:
    """What all scenarios run with: the library, Python, and where to build."""

    def __init__(self, prefix, python, build_dir, sync_updates):
        self.prefix = os.path.abspath(prefix)
        self.lib = os.path.join(self.prefix, "lib")
        self.real_lib = os.path.realpath(self.lib)
        self.include = os.path.join(self.prefix, "include")
        self.python = os.path.abspath(python) if python else None
        self.build_dir = os.path.abspath(build_dir)
        self.sync_updates = sync_updates
        self.env = dict(os.environ, PYTHONUNBUFFERED="1", LD_LIBRARY_PATH=self.lib)

    def run(self, argv, **options):
        """Runs a build step; its output becomes the failure's text."""
        done = subprocess.run(
            argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options
        )
        if done.returncode:
            raise Failure(f"{' '.join(argv)}\n{done.stdout}")
        return done.stdout


class Program:
    """One running process. Its output goes to files, so that it never waits for a reader."""

    def __init__(self, scene, label, argv, stdin, quiet, env):
        self.scene, self.label, self.quiet = scene, label, quiet
        name = re.sub(r"[^a-zA-Z0-9_.-]", "_", label)
        base = os.path.join(scene.tmp, f"{len(scene.programs):02d}-{name}")
        self.out_path, self.err_path = base + ".out", base + ".err"
        with open(self.out_path, "wb") as out, open(self.err_path, "wb") as err:
            self.process = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=scene.tmp,
                env={**scene.setup.env, **env},
                start_new_session=True,
            )

    def _read(self, path):
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()

    @property
    def out(self):
        return self._read(self.out_path)

    @property
    def err(self):
        return self._read(self.err_path)

    def type(self, text):
        """Types on the program's keyboard."""
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def says(self, text, times=1):
        """Waits until the program has printed `text` so many times."""
        while self.out.count(text) < times:
            if self.process.poll() is not None and self.out.count(text) < times:
                raise Failure(f"{self.label} ended ({self.process.returncode}) without '{text}'")
            self.scene.tick(f"{self.label} to say '{text}'")
        return self

    def interrupt(self, number=signal.SIGINT):
        """Sends a signal to a program at rest in a blocking call.

        A signal that arrives just before the call begins does not interrupt it, with any
        library; so this waits until the main thread has been seen asleep several times.
        """
        asleep = 0
        while asleep < 10:
            with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
                state = stat.read().rpartition(")")[2].split()[0]
            asleep = asleep + 1 if state == "S" else 0
            self.scene.tick(f"{self.label} to wait")
        self.process.send_signal(number)
        return self

    def ends(self, status=0):
        """Waits for the end, checks the exit status and that nothing was complained of."""
        while self.process.poll() is None:
            self.scene.tick(f"{self.label} to end")
        if self.process.returncode != status:
            raise Failure(f"{self.label} ended with {self.process.returncode}, not {status}")
        if self.quiet and self.err:
            raise Failure(f"{self.label} complained: {self.err.strip().splitlines()[-1]}")
        return self

    def shows(self, pattern, times=1):
        """Checks how often whole lines match; returns the program for chaining."""
        found = len(re.findall(f"^{pattern}$", self.out, re.MULTILINE))
        if found != times:
            raise Failure(f"{self.label} shows /{pattern}/ {found} times, not {times}")
        return self

    def library(self):
        """Checks that the running program has loaded the libzmq under test and no other."""
        with open(f"/proc/{self.process.pid}/maps", encoding="utf-8", errors="replace") as maps:
            found = {line.split()[-1] for line in maps if re.search(r"/libzmq\.so", line)}
        wrong = {path for path in found if os.path.dirname(path) != self.scene.setup.real_lib}
        if wrong or not found:
            raise Failure(f"{self.label} uses {sorted(found)}, not {self.scene.setup.real_lib}")

    def stop(self):
        """Ends an endless program, which must still be alive and on the right library."""
        if self.process.poll() is not None:
            raise Failure(f"{self.label} ended early with {self.process.returncode}")
        if self.quiet and self.err:
            raise Failure(f"{self.label} complained: {self.err.strip().splitlines()[-1]}")
        self.library()
        self.kill()

    def kill(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        if self.process.stdin:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()


class Scene:
    """One scenario: its directory, ports, processes and deadline."""

    def __init__(self, setup, name, seconds):
        self.setup, self.name = setup, name
        self.deadline = time.monotonic() + seconds
        self.programs, self.ports = [], set()
        self.detail = ""
        self.directory = tempfile.TemporaryDirectory(prefix="programs-")
        self.tmp = self.directory.name

    def tick(self, waiting_for):
        """A short wait for something observable, within the scenario's deadline."""
        if time.monotonic() > self.deadline:
            raise Failure(f"timed out waiting for {waiting_for}")
        time.sleep(0.005)

    @staticmethod
    def check(holds, otherwise):
        if not holds:
            raise Failure(otherwise)

    def port(self):
        """A tcp port that nobody listens on, outside of the range given to clients."""
        while True:
            number = random.randrange(10000, 32000)
            if number in self.ports:
                continue
            with socket.socket() as probe:
                try:
                    probe.bind(("", number))
                except OSError:
                    continue
            self.ports.add(number)
            return number

    def tcp(self):
        """The same address for a program that binds it and one that connects to it."""
        number = self.port()
        return f"tcp://*:{number}", f"tcp://localhost:{number}"

    def ipc(self, name):
        return f"ipc://{os.path.join(self.tmp, name)}"

    def start(self, label, argv, stdin=False, quiet=True, **env):
        program = Program(self, label, [str(arg) for arg in argv], stdin, quiet, env)
        self.programs.append(program)
        return program

    def python(self, name, *args, stdin=False):
        path = os.path.join(HERE, "python", name)
        return self.start(name, [self.setup.python, path, *args], stdin)

    def logs(self):
        """What every process printed, for the reader of a failure."""
        for program in self.programs:
            for kind, text in (("out", program.out), ("err", program.err)):
                if text:
                    tail = text[-2000:]
                    yield f"--- {program.label} ({kind}), exit {program.process.poll()}\n{tail}"

    def close(self):
        for program in self.programs:
            program.kill()
        self.directory.cleanup()


def complain(text):
    print(text, file=sys.stderr, flush=True)
