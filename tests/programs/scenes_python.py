"""Scenarios of Python programs on pyzmq.

Here: which programs run together, in which order, and what they must print. SCENES maps a
name to (function, seconds allowed or None for the runner's own limit).
"""

import urllib.request

from harness import Failure

SCENES = {}


def scene(name, seconds=None):
    def keep(play):
        SCENES["python/" + name] = (play, seconds)
        return play

    return keep


@scene("certificates")
def certificates(s):
    """Keys in files, made by the command and by pyzmq, and the command's look at a server."""
    program = s.python("certificates.py", s.setup.aught).ends()
    program.shows("pyzmq reads what aught wrote").shows("aught reads what pyzmq wrote")
    program.shows("who has a certificate is let in, and a stranger is not")
    program.shows("a stranger is let in where nobody asks")


certificates.needs_aught = True


@scene("hello")
def hello(s):
    bind, connect = s.tcp()
    server = s.python("hello_server.py", bind, 20, 0.002)
    client = s.python("hello_client.py", connect, 20)
    client.ends().shows(r"Received reply \d+ \[ b'World' \]", 20)
    server.ends().shows("Received request: b'Hello'", 20)


@scene("hello-loopback-address")
def hello_loopback(s):
    port = s.port()
    server = s.python("hello_server.py", f"tcp://127.0.0.1:{port}", 5, 0)
    client = s.python("hello_client.py", f"tcp://localhost:{port}", 5)
    client.ends().shows(r"Received reply \d+ .*", 5)
    server.ends()


@scene("hello-client-first")
def hello_client_first(s):
    """A request made before there is a server waits in the queue and is answered."""
    bind, connect = s.tcp()
    client = s.python("hello_client.py", connect, 5).says("asked")
    server = s.python("hello_server.py", bind, 5, 0)
    client.ends().shows(r"Received reply \d+ .*", 5)
    server.ends().shows("Received request: b'Hello'", 5)


@scene("hello-three-clients")
def hello_three(s):
    bind, connect = s.tcp()
    clients = [s.python("hello_client.py", connect, 10) for _ in range(3)]
    server = s.python("hello_server.py", bind, 30, 0)
    for client in clients:
        client.ends().shows(r"Received reply \d+ \[ b'World' \]", 10)
    server.ends().shows("Received request: b'Hello'", 30)


@scene("hello-server-restart")
def hello_restart(s):
    """A client that waits out the gap between two servers: its queue survives, unasked."""
    bind, connect = s.tcp()
    first = s.python("hello_server.py", bind, 3, 0)
    client = s.python("hello_client.py", connect, 3)
    client.ends()
    first.ends()
    late = s.python("hello_client.py", connect, 3).says("asked")
    second = s.python("hello_server.py", bind, 3, 0)
    late.ends().shows(r"Received reply \d+ .*", 3)
    second.ends()


@scene("hello-ipc")
def hello_ipc(s):
    path = s.ipc("hello.ipc")
    server = s.python("hello_server.py", path, 10, 0)
    s.python("hello_client.py", path, 10).ends().shows(r"Received reply \d+ .*", 10)
    server.ends()


@scene("text-and-errors")
def text(s):
    bind, connect = s.tcp()
    server = s.python("text_server.py", bind, 3)
    client = s.python("text_client.py", connect, stdin=True)
    client.type("one\n  two  \n\u4f60\u597d\nb\n")
    client.ends().shows("(say: )?Received reply: World from server!", 3)
    server.ends().shows("Received request: two").shows("Received request: \u4f60\u597d")
    server.shows("refused: True")


@scene("router-nowait")
def router_nowait(s):
    bind, _ = s.tcp()
    s.python("router_nowait.py", bind).ends().shows("No message received yet.")


@scene("dealers-burst-router-order")
def burst(s):
    bind, connect = s.tcp()
    dealers = [s.python("dealer_burst.py", connect, f"dealer_{n}", 500) for n in (1, 2, 3)]
    router = s.python("router_order.py", bind, *(f"dealer_{n}=500" for n in (1, 2, 3)))
    for dealer in dealers:
        dealer.ends().shows(r"dealer_\d got 500 answers in order")
    router.ends().shows("in order: dealer_1=500 dealer_2=500 dealer_3=500")


@scene("news")
def news(s):
    bind, connect = s.tcp()
    subscribers = [s.python("news_sub.py", connect, "news", 5) for _ in range(2)]
    other = s.python("news_sub.py", connect, "sport", 5)
    publisher = s.python("news_pub.py", bind, 0.01, "news", "sport", "weather")
    for subscriber in subscribers:
        subscriber.ends().shows("Received: news Hello, subscribers!", 5).shows("Received: .*", 5)
    other.ends().shows("Received: sport Hello, subscribers!", 5).shows("Received: .*", 5)
    publisher.stop()


@scene("push-pull")
def push_pull(s):
    bind, connect = s.tcp()
    pull = s.python("task_pull.py", connect, 10)
    push = s.python("task_push.py", bind, 10)
    push.ends().shows(r"Sent task: Task \d", 10)
    pull.ends()
    for task in range(10):
        pull.shows(f"Processing task: Task {task}")


@scene("push-waits-for-pull")
def push_waits(s):
    """PUSH without a peer blocks; nothing is lost when one comes."""
    bind, connect = s.tcp()
    push = s.python("task_push.py", bind, 10).says("PUSH is up")
    pull = s.python("task_pull.py", connect, 10)
    pull.ends().shows(r"Processing task: Task \d", 10)
    push.ends()


@scene("parallel-pipeline")
def pipeline(s):
    tasks_bind, tasks_connect = s.tcp()
    sync_bind, sync_connect = s.tcp()
    results_bind, results_connect = s.tcp()
    vent = s.python("pipeline_vent.py", tasks_bind, sync_connect, 30, stdin=True)
    workers = [s.python("pipeline_worker.py", tasks_connect, results_connect, 0.005) for _ in "ab"]
    sink = s.python("pipeline_sink.py", results_bind, sync_bind, 30)
    vent.says("Press Enter")
    vent.type("\n")
    vent.ends()
    sink.ends().shows("all 30 results, each once")
    for worker in workers:
        worker.stop()


def _two_sources(s, reader):
    tasks_bind, tasks_connect = s.tcp()
    weather_bind, weather_connect = s.tcp()
    feeder = s.python("two_sources.py", tasks_bind, weather_bind, 100, 0.002)
    s.python(reader, tasks_connect, weather_connect, 100, 20).ends().shows(
        "read 100 tasks and enough updates"
    )
    feeder.stop()


@scene("read-two-sockets")
def read_two(s):
    _two_sources(s, "read_two.py")


@scene("poll-two-sockets")
def poll_two(s):
    _two_sources(s, "poll_two.py")


def _brokered(s, broker, clients_connect, workers_connect):
    workers = [s.python("rr_worker.py", workers_connect) for _ in range(2)]
    clients = [s.python("rr_client.py", clients_connect, 10) for _ in range(3)]
    for client in clients:
        client.ends().shows(r"Received reply \d+ \[b'World'\]", 10)
    served = sum(w.out.count("Received request: b'Hello'") for w in workers)
    s.check(served == 30, f"workers served {served} of 30")
    for worker in workers:
        worker.stop()


@scene("request-reply-broker")
def broker(s):
    clients_bind, clients_connect = s.tcp()
    workers_bind, workers_connect = s.tcp()
    broker = s.python("rr_broker.py", clients_bind, workers_bind, 30)
    _brokered(s, broker, clients_connect, workers_connect)
    broker.ends()


@scene("queue-proxy")
def queue(s):
    clients_bind, clients_connect = s.tcp()
    workers_bind, workers_connect = s.tcp()
    broker = s.python("queue_broker.py", clients_bind, workers_bind).says("ready")
    _brokered(s, broker, clients_connect, workers_connect)
    broker.interrupt().ends().shows("interrupted")


@scene("weather")
def weather(s):
    bind, connect = s.tcp()
    server = s.python("weather_server.py", bind)
    client = s.python("weather_client.py", connect, "10001", 5)
    client.ends().shows(r"Average temperature for zipcode '10001' was -?\d+F")
    server.stop()


@scene("weather-proxy")
def weather_proxy(s):
    inner_bind, inner_connect = s.tcp()
    outer_bind, outer_connect = s.tcp()
    server = s.python("weather_server.py", inner_bind, s.ipc("weather"))
    proxy = s.python("weather_proxy.py", inner_connect, outer_bind)
    client = s.python("weather_client.py", outer_connect, "12", 50)
    client.ends().shows(r"Average temperature for zipcode '12' was -?\d+F")
    proxy.stop()
    server.stop()


@scene("batch")
def batch(s):
    tasks_bind, tasks_connect = s.tcp()
    sink_bind, sink_connect = s.tcp()
    sink = s.python("batch_sink.py", sink_bind, 100)
    workers = [s.python("batch_worker.py", tasks_connect, sink_connect) for _ in range(2)]
    vent = s.python("batch_vent.py", tasks_bind, sink_connect, 100, stdin=True)
    vent.says("Press Enter")
    vent.type("\n")
    vent.ends().shows(r"Total expected cost: \d+ msec")
    sink.ends().shows(r"[:.]{100}").shows(r"Total elapsed time: \d+ msec")
    s.check(sum(w.out.count(".") for w in workers) == 100, "workers did not do 100 tasks")
    for worker in workers:
        worker.stop()


def _killed_workers(s, sink, *sink_args):
    tasks_bind, tasks_connect = s.tcp()
    sink_bind, sink_connect = s.tcp()
    control_bind, control_connect = s.tcp()
    sink = s.python(sink, sink_bind, control_bind, 100, *sink_args)
    workers = [
        s.python("kill_worker.py", tasks_connect, sink_connect, control_connect) for _ in range(3)
    ]
    vent = s.python("batch_vent.py", tasks_bind, sink_connect, 100, stdin=True)
    vent.says("Press Enter")
    if sink_args:
        sink.says("workers listen")
    vent.type("\n")
    vent.ends()
    sink.ends()
    for worker in workers:
        worker.ends()
    done = sum(int(w.out.split()[1]) for w in workers)
    s.check(done == 100, f"workers did {done} of 100 tasks")


@scene("batch-kill-signal")
def batch_kill(s):
    _killed_workers(s, "kill_sink.py", 3)


@scene("batch-kill-signal-pub")
def batch_kill_pub(s):
    _killed_workers(s, "kill_sink_pub.py")


@scene("interrupt")
def interrupt(s):
    bind, _ = s.tcp()
    program = s.python("interrupt.py", bind).says("waiting")
    program.interrupt().ends()
    program.shows("W: interrupt received, stopping").shows("closed")


@scene("threads-server")
def threads_server(s):
    bind, connect = s.tcp()
    server = s.python("threads_server.py", bind, 5, 0.01)
    clients = [s.python("hello_client.py", connect, 10) for _ in range(4)]
    for client in clients:
        client.ends().shows(r"Received reply \d+ \[ b'World' \]", 10)
    asked = server.out.count("Received request: [ b'Hello' ]")
    s.check(asked == 40, f"the server saw {asked} of 40")
    server.stop()


@scene("threads-relay")
def threads_relay(s):
    s.python("threads_relay.py").ends().shows("Test successful!")


@scene("syncpub-syncsub", 400)
def sync(s):
    updates, count = s.setup.sync_updates, 10
    data_bind, data_connect = s.tcp()
    sync_bind, sync_connect = s.tcp()
    subscribers = [s.python("sync_sub.py", data_connect, sync_connect, 2) for _ in range(count)]
    publisher = s.python("sync_pub.py", data_bind, sync_bind, count, updates)
    publisher.ends().shows(rf"\+1 subscriber \(\d+/{count}\)", count)
    for subscriber in subscribers:
        subscriber.ends().shows(f"Received {updates} updates")
    s.detail = f"{count} x {updates}"


@scene("syncpub-syncsub-hello", 400)
def sync_hello(s):
    updates, count = s.setup.sync_updates // 10, 10
    data_bind, data_connect = s.tcp()
    sync_bind, sync_connect = s.tcp()
    publisher = s.python("hello_pub.py", data_bind, sync_bind, count, updates)
    subscribers = [s.python("hello_sub.py", data_connect, sync_connect) for _ in range(count)]
    for subscriber in subscribers:
        subscriber.ends().shows(f"Received {updates} updates")
    publisher.ends()
    s.detail = f"{count} x {updates}"


@scene("envelopes")
def envelopes(s):
    bind, connect = s.tcp()
    publisher = s.python("envelope_pub.py", bind, 0.005)
    subscriber = s.python("envelope_sub.py", connect, 20)
    subscriber.ends().shows(r"\[B\] We would like to see this", 20)
    s.check("don't" not in subscriber.out, "the filter let A through")
    publisher.stop()


@scene("many-doors")
def many_doors(s):
    program = s.python("many_doors.py", s.ipc("door")).ends()
    program.shows("through tcp", 2).shows("through ipc").shows("through inproc")


@scene("asyncio")
def asyncio(s):
    s.python("async_echo.py", 5, 400).ends().shows("echoed 2000")


@scene("router-raw-http")
def router_raw_http(s):
    """A ROUTER that speaks HTTP, with clients that have never heard of ZeroMQ."""
    port = s.port()
    server = s.python("raw_http.py", f"tcp://127.0.0.1:{port}", 3).says("serving")
    for path in ("one", "two", "three"):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=30) as reply:
            body = reply.read().decode()
        if body != f"You asked: GET /{path} HTTP/1.1\n":
            raise Failure(f"got {body!r}")
    server.ends().shows(r"request: GET /\w+ HTTP/1.1", 3)


@scene("messages-of-hundreds-of-megabytes", 120)
def large_messages(s):
    """Ten thousand, a hundred million and half a billion bytes in one message each."""
    bind, connect = s.tcp()
    sizes = (10_000, 100_000_000, 500_000_000)
    pull = s.python("large_pull.py", bind, *sizes)
    push = s.python("large_push.py", connect, *sizes)
    push.ends().shows(r"sent \d+ bytes", len(sizes))
    pull.ends().shows(r"received \d+ bytes, as they were sent", len(sizes))
