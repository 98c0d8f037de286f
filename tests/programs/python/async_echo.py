"""asyncio: a ROUTER task and several DEALER tasks share one loop, driven by ZMQ_FD.

usage: async_echo.py CLIENTS MESSAGES
"""

import asyncio
import sys

import zmq
import zmq.asyncio


async def serve(router, messages):
    for _ in range(messages):
        await router.send_multipart(await router.recv_multipart())


async def ask(context, endpoint, name, messages):
    dealer = context.socket(zmq.DEALER)
    dealer.connect(endpoint)
    for number in range(messages):
        await dealer.send_multipart([name, b"%d" % number])
    for number in range(messages):
        assert await dealer.recv_multipart() == [name, b"%d" % number]
    dealer.close()


async def main():
    clients, messages = int(sys.argv[1]), int(sys.argv[2])
    context = zmq.asyncio.Context()
    router = context.socket(zmq.ROUTER)
    port = router.bind_to_random_port("tcp://127.0.0.1")
    endpoint = f"tcp://127.0.0.1:{port}"
    tasks = [ask(context, endpoint, b"client %d" % n, messages) for n in range(clients)]
    await asyncio.gather(serve(router, clients * messages), *tasks)
    print("echoed", clients * messages)
    router.close()
    context.term()


asyncio.run(main())
