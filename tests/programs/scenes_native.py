"""Scenarios of C and C++ programs, compiled against the prefix under test.

Here: how they are compiled, which run together and what they must print. The C++ programs
use Debian's cppzmq and nlohmann-json.
"""

import glob
import hashlib
import os
import shutil
import signal

from harness import HERE, Failure

SCENES = {}

C_FLAGS = ["-std=c99", "-O2", "-g", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
# The programs keep older calls of the binding on purpose.
CXX_FLAGS = ["-O1", "-Wall", "-Wextra", "-Werror", "-Wno-deprecated-declarations"]
CXX_FLAGS += ["-Wno-unused-result"]
CXX_STANDARDS = ("11", "14", "17", "20")


def scene(name, seconds=None, needs_python=False):
    def keep(play):
        play.needs_python = needs_python
        SCENES[name] = (play, seconds)
        return play

    return keep


def build(s, source, compiler, flags):
    """Compiles one program, unless it is newer than its source and the header."""
    place = hashlib.sha256(s.setup.prefix.encode()).hexdigest()[:12]
    path = os.path.join(HERE, source)
    target = os.path.join(s.setup.build_dir, place, source.strip("./").replace("/", "_"))
    inputs = [path, os.path.join(s.setup.include, "zmq.h")]
    inputs += glob.glob(os.path.join(os.path.dirname(path), "*.h"))
    newest = max(os.path.getmtime(name) for name in inputs)
    if not os.path.exists(target) or os.path.getmtime(target) < newest:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        libs = ["-L" + s.setup.lib, "-lzmq", "-pthread"]
        s.setup.run([compiler, *flags, "-I" + s.setup.include, path, "-o", target, *libs])
    return target


def c(s, name, *args, under=()):
    program = build(s, f"c/{name}.c", "gcc", C_FLAGS)
    return s.start(f"{name}.c", [*under, program, *args])


def cpp(s, name, *args):
    program = build(s, f"cpp/{name}.cpp", "g++", ["-std=c++17", *CXX_FLAGS])
    return s.start(f"{name}.cpp", [program, *args])


def alone(name, *expected):
    """A C program that checks everything itself, and the lines it must print."""

    @scene("c/" + name.replace("_", "-"))
    def play(s):
        program = c(s, name).ends()
        for line in expected:
            program.shows(line)


alone("io_threads", "io threads set and read")
alone("multipart", "all parts", r"\[alone\]")
alone("zero_copy", "released 7 buffers once each")
alone("options", "queued 10", "options hold")
alone("proxy", "captured 600 parts", "proxy ended by its context", "proxy ended by word")
alone("poll_items", "polled")
alone("terminate", "all threads saw ETERM")
alone("messages", "messages behave")
alone("monitor", "listening, accepted, ready, gone, stopped")
alone("controller", "300 tasks, each once; workers ended by signal")


@scene("c/many-binds")
def many_binds(s, under=()):
    program = c(s, "many_binds", f"tcp://*:{s.port()}", f"tcp://*:{s.port()}", under=under)
    program.ends().shows("answered", 3)


@scene("c/errors")
def errors(s, under=()):
    program = c(s, "errors", f"tcp://*:{s.port()}", under=under).ends()
    program.shows("E: bind failed: Address already in use")
    program.shows("ETERM: Context was terminated")
    program.shows("EFSM: Operation cannot be accomplished in current state")


@scene("c/ipc-rebind")
def ipc_rebind(s, under=()):
    # The child is killed with all of it open: what it lost thereby is not to be told.
    under = [*under, "--child-silent-after-fork=yes"] if under else under
    c(s, "ipc_rebind", s.ipc("endpoint"), under=under).ends().shows("recovered")


@scene("c/interrupted")
def interrupted(s, under=()):
    for call in ("recv", "poll"):
        for number in (signal.SIGINT, signal.SIGTERM):
            program = c(s, "interrupted", call, under=under).says("waiting")
            program.interrupt(number).ends().shows("interrupted").shows("closed")


def valgrind():
    """What a program runs under that must not touch, use or lose what it should not."""
    if not shutil.which("valgrind"):
        raise Failure("valgrind is not installed")
    # No suppressions. What is reachable at the end is the table of handles, which stays for the
    # life of the process so that a stale handle is told apart.
    return ["valgrind", "--quiet", "--error-exitcode=99", "--leak-check=full"]


@scene("c/valgrind", 300)
def under_valgrind(s):
    """No invalid access, no use of undefined bytes, nothing lost: by any program here."""
    under = valgrind()
    # Those that need an argument or a signal get it from their own scenarios.
    led = {"errors": errors, "interrupted": interrupted}
    led |= {"ipc_rebind": ipc_rebind, "many_binds": many_binds}
    sources = sorted(glob.glob(os.path.join(HERE, "c", "*.c")))
    names = [os.path.splitext(os.path.basename(source))[0] for source in sources]
    for name in names:
        if name in led:
            led[name](s, under)
        else:
            c(s, name, under=under).ends()
    s.detail = f"{len(names)} programs"


@scene("c/every-function")
def every_function(s):
    """The program calls what the library exports: all of it, and nothing else."""
    c(s, "every_function").ends().shows("every function was called")

    def names(which, path):
        listing = s.setup.run(["nm", "-D", which, path])
        return {word for word in listing.split() if word.startswith("zmq_")}

    program = build(s, "c/every_function.c", "gcc", C_FLAGS)
    exported = names("--defined-only", os.path.join(s.setup.lib, "libzmq.so.5"))
    called = {name.split("@")[0] for name in names("--undefined-only", program)}
    exported = {name.split("@")[0] for name in exported}
    s.check(called == exported, f"not called or not exported: {sorted(called ^ exported)}")
    s.detail = f"{len(called)} functions"


@scene("cpp/hello")
def hello(s):
    bind, _ = s.tcp()
    # An address, not a name: these programs used one of the machine's own.
    connect = "tcp://127.0.0.1:" + bind.rpartition(":")[2]
    client = cpp(s, "hello_client", connect, 20)
    server = cpp(s, "hello_server", connect, 20)
    client.ends().shows("client got Service Receive Success!", 20)
    server.ends().shows(r"server got World \d+", 20)


@scene("cpp/cities")
def cities(s):
    bind, connect = s.tcp()
    one_city = cpp(s, "city_sub", connect, "BJ", 20)
    every_city = cpp(s, "city_sub", connect, "", 30)
    publisher = cpp(s, "city_pub", bind, 5)
    one_city.ends().shows(r"filter BJ got BJ:(rain|snow) \d+", 20)
    every_city.ends().shows(r"filter  got [A-Z]{2}:\w+ \d+", 30)
    publisher.stop()


@scene("cpp/json-dealers-python-router", needs_python=True)
def json_dealers(s):
    bind, connect = s.tcp()
    dealers = [cpp(s, "json_dealer", connect, 50) for _ in range(3)]
    router = s.python("json_router.py", bind, 150)
    for dealer in dealers:
        dealer.ends().shows("50 actions")
    router.ends().shows("peers 3 states 150")


@scene("cpp/poller")
def poller(s):
    cpp(s, "poller").ends().shows("C\\+\\+ binding holds")


@scene("cpp/monitor")
def monitor(s):
    cpp(s, "watch").ends().shows("came and went")


@scene("cpp/standards", 300)
def standards(s):
    """The header alone and under the binding, in every standard, without a warning."""
    strict = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"]
    # A system directory would hide the binding's warnings along with our header's.
    include = ["-I" + s.setup.include]
    drafts = ([], ["-DZMQ_BUILD_DRAFT_API"])
    header = os.path.join(s.tmp, "header.c")
    binding = os.path.join(s.tmp, "binding.cpp")
    with open(header, "w", encoding="ascii") as file:
        file.write("#include <zmq_utils.h>\nint main(void) { return ZMQ_VERSION == 0; }\n")
    with open(binding, "w", encoding="ascii") as file:
        file.write("#include <zmq.hpp>\n#include <zmq_addon.hpp>\nint main() {}\n")
    checked = 0
    for draft in drafts:
        for standard in ("c89", "c99", "c11", "c17"):
            s.setup.run(["gcc", f"-std={standard}", *strict, *draft, *include, header])
            checked += 1
        for standard in ("98", *CXX_STANDARDS):
            mode = [f"-std=c++{standard}", *strict, *draft, *include]
            s.setup.run(["g++", *mode, "-x", "c++", header])
            checked += 1
            if standard != "98":
                s.setup.run(["g++", *mode, binding])
                checked += 1
    s.detail = f"{checked} compilations"
