"""Executes notebooks of 200 cells in Jupyter kernels, with interrupts and restarts.

usage: jupyter_notebook.py PREFIX

Here: the notebook, what each of its cells has to say, and what else clients ask of a kernel. Not
here: what has to be installed (jupyter). The kernels and this program use PREFIX's libzmq. All of
it happens once over tcp and once over ipc.
"""

import asyncio
import os
import re
import sys
import time

import nbformat
import zmq
from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

CELLS = 200
SECONDS = 30
# It says so from another thread: an interrupt in the middle of a print may get lost.
LONG = "import threading, time\nthreading.Timer(0.1, print, ['working']).start()\ntime.sleep(600)"


class Failure(Exception):
    """A kernel did not do what it should; the message says what was seen."""


def library():
    """The libzmq that this process has loaded."""
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
        return {os.path.realpath(line.split()[-1]) for line in maps if "libzmq.so" in line}


def is_ours(prefix, loaded):
    lib = os.path.realpath(os.path.join(prefix, "lib"))
    return loaded and all(os.path.dirname(path) == lib for path in loaded)


def cell(source, expected, **what):
    """A cell whose outputs, as text, match a pattern. `what` is for [`Client`]."""
    made = nbformat.v4.new_code_cell(source)
    made.metadata.expected = expected
    made.metadata.update(what)
    return made


def notebook():
    """Cells of eight kinds. They share a counter, which restarts put back."""
    cells, counter = [], 0
    for number in range(CELLS):
        if number % 50 == 0:  # the first one needs no restart
            source = "print('counter' in globals())\ncounter = 0"
            cells.append(cell(source, "^False\n$", restart=number > 0))
            counter = 0
            continue
        kind = number % 8
        if kind == 0:
            counter += 1
            cells.append(cell("counter += 1\ncounter", f"^{counter}$"))
        elif kind == 1:
            source = f"for i in range(200): print(i * {number})"
            cells.append(cell(source, f"^0\n{number}\n(?s:.*)\n{199 * number}\n$"))
        elif kind == 2:
            cells.append(cell("print('x' * 2_000_000)", "^x{2000000}\n$"))
        elif kind == 3:
            source = f"raise KeyError({number})"
            cells.append(cell(source, f"KeyError: {number}", tags=["raises-exception"]))
        elif kind == 4:
            source = "from IPython.display import display, HTML\n"
            source += f"for i in range(3): display(HTML('<b>{number}.%d</b>' % i))"
            cells.append(cell(source, rf"<b>{number}\.0</b>(?s:.*)<b>{number}\.2</b>"))
        elif kind == 5:
            source = "import asyncio\nsum(await asyncio.gather(*[asyncio.sleep(0.01, i) "
            source += "for i in range(50)]))"
            cells.append(cell(source, "^1225$"))
        elif kind == 6:
            source = "import zmq\nwith zmq.Context() as c, c.socket(zmq.PAIR) as a, "
            source += "c.socket(zmq.PAIR) as b:\n"
            source += "    b.connect('tcp://127.0.0.1:%d' % a.bind_to_random_port("
            source += f"'tcp://127.0.0.1'))\n    a.send(b'through {number}')\n"
            source += "    print(b.recv().decode())"
            cells.append(cell(source, f"^through {number}\n$"))
        else:
            tags = ["raises-exception"]
            cells.append(cell(LONG, "^working(?s:.*)KeyboardInterrupt", tags=tags, interrupt=True))
    return nbformat.v4.new_notebook(cells=cells)


def text_of(outputs):
    said = []
    for output in outputs:
        if output.output_type == "stream":
            said.append(output.text)
        elif output.output_type == "error":
            said.append(f"{output.ename}: {output.evalue}")
        else:
            said.append(output.data.get("text/html") or output.data["text/plain"])
    return "".join(said)


class Client(NotebookClient):
    """Interrupts the kernel when a cell that is meant for it says that it is at work."""

    interrupting = None

    def process_message(self, msg, cell, cell_index):
        begun = cell.metadata.get("interrupt") and msg["msg_type"] == "stream"
        if begun and self.interrupting is None:
            self.interrupting = asyncio.ensure_future(self.km.interrupt_kernel())
        return super().process_message(msg, cell, cell_index)


async def run_cell(client, index):
    one = client.nb.cells[index]
    if one.metadata.get("restart"):
        await client.km.restart_kernel(now=index % 100 == 0)
        await client.kc.wait_for_ready(timeout=SECONDS)
    await client.async_execute_cell(one, index)
    if client.interrupting is not None:
        await client.interrupting
        client.interrupting = None
    said = text_of(one.outputs)
    if not re.search(one.metadata.expected, said):
        few = said if len(said) < 400 else f"{said[:200]} ... {said[-200:]}"
        raise Failure(f"cell {index} ({one.source[:60]!r}) said {len(said)} bytes: {few!r}")


async def reply_of(channel, message):
    """The reply to a message on a channel; others are passed over."""
    while True:
        reply = await channel.get_msg(timeout=SECONDS)
        if reply["parent_header"].get("msg_id") == message:
            return reply


async def uses_our_library(km, kc, prefix):
    source = "import zmq\nloaded = sorted({line.split()[-1] for line in open('/proc/self/maps') "
    source += "if 'libzmq.so' in line})"
    asked = kc.execute(source, user_expressions={"loaded": "'\\n'.join(loaded)"})
    reply = await reply_of(kc.shell_channel, asked)
    said = reply["content"]["user_expressions"]["loaded"]["data"]["text/plain"]
    loaded = {os.path.realpath(path) for path in said.strip("'").split("\\n")}
    if not is_ours(prefix, loaded):
        raise Failure(f"the kernel uses {loaded}")


async def asks_for_input(km, kc, prefix):
    asked = kc.execute("input('name? ')", allow_stdin=True)
    request = await kc.get_stdin_msg(timeout=SECONDS)
    if request["content"]["prompt"] != "name? ":
        raise Failure(f"the kernel asked {request['content']}")
    kc.input("Sally")
    while True:
        message = await kc.get_iopub_msg(timeout=SECONDS)
        if message["msg_type"] == "execute_result" and message["parent_header"]["msg_id"] == asked:
            break
    if message["content"]["data"]["text/plain"] != "'Sally'":
        raise Failure(f"the kernel heard {message['content']}")
    await reply_of(kc.shell_channel, asked)


async def serves_two_clients(km, kc, prefix):
    # Not from the manager: its clients have one routing id, of which a kernel takes one only.
    other = AsyncKernelClient()
    other.load_connection_info(km.get_connection_info())
    other.start_channels()
    try:
        await other.wait_for_ready(timeout=SECONDS)
        for number in range(20):
            asked = [each.execute(f"print({number}, {name!r})") for name, each in
                     (("one", kc), ("two", other))]
            for each in (kc, other):
                heard = set()
                while not heard.issuperset(asked):  # each hears of what both do
                    message = await each.get_iopub_msg(timeout=SECONDS)
                    if message["msg_type"] == "stream":
                        heard.add(message["parent_header"]["msg_id"])
            await reply_of(kc.shell_channel, asked[0])
            await reply_of(other.shell_channel, asked[1])
    finally:
        other.stop_channels()


async def its_heart_beats(km, kc, prefix):
    beats = km.context.socket(zmq.REQ)
    try:
        beats.linger = 0
        beats.rcvtimeo = SECONDS * 1000
        beats.connect(km._make_url("hb"))
        for number in range(100):
            await beats.send(b"beat %d" % number)
            said = await beats.recv()
            if said != b"beat %d" % number:
                raise Failure(f"the heart beats {said!r}")
    finally:
        beats.close()


async def dies_in_the_middle(km, kc, prefix):
    """The kernel is killed at work, and its client goes on with the next one."""
    asked = kc.execute(LONG)
    while True:
        message = await kc.get_iopub_msg(timeout=SECONDS)
        if message["msg_type"] == "stream" and message["parent_header"]["msg_id"] == asked:
            break
    await km.restart_kernel(now=True)
    await kc.wait_for_ready(timeout=SECONDS)
    asked = kc.execute("1 + 1")
    if (await reply_of(kc.shell_channel, asked))["content"]["status"] != "ok":
        raise Failure("the next kernel does not work")


QUESTIONS = [
    uses_our_library,
    asks_for_input,
    serves_two_clients,
    its_heart_beats,
    dies_in_the_middle,
]


async def over(transport, prefix, results):
    """All of it in kernels of one transport. Tells results() of each thing that was seen."""
    km = AsyncKernelManager(kernel_name="python3", transport=transport)
    client = Client(notebook(), km=km, timeout=SECONDS, store_widget_state=False)
    async with client.async_setup_kernel():
        for index in range(CELLS):
            await results(f"{transport} cell {index}", run_cell(client, index))
            if index % 50 == 49:
                print(f"{transport}: {index + 1} cells after {time.monotonic() - BEGUN:.0f} s",
                      flush=True)
        for question in QUESTIONS:
            await results(f"{transport} {question.__name__}", question(km, client.kc, prefix))
        await km.shutdown_kernel()
    if await km.is_alive():
        raise Failure("the kernel lives on")


class Results:
    def __init__(self):
        self.passed = self.failed = 0

    async def __call__(self, name, doing):
        """Counts one thing. After one that did not come to an end, nothing more is tried."""
        try:
            await asyncio.wait_for(doing, 2 * SECONDS)
            self.passed += 1
        except Failure as failure:
            self.failed += 1
            print(f"FAIL {name}: {failure}", flush=True)
        except Exception as error:
            self.failed += 1
            print(f"FAIL {name}: {type(error).__name__}: {error}", flush=True)
            raise


async def main():
    if len(sys.argv) != 2:
        sys.exit("usage: jupyter_notebook.py PREFIX")
    zmq.Context().term()
    if not is_ours(sys.argv[1], library()):
        sys.exit(f"pyzmq loaded {library()} and not the library in {sys.argv[1]}")
    results = Results()
    for transport in ("tcp", "ipc"):
        try:
            await over(transport, sys.argv[1], results)
        except Exception as error:
            results.failed += results.failed == 0
            print(f"FAIL {transport}: {type(error).__name__}: {error}", flush=True)
    print(f"{results.passed} passed, {results.failed} failed")
    sys.exit(results.failed > 0)


BEGUN = time.monotonic()
if __name__ == "__main__":
    asyncio.run(main())
