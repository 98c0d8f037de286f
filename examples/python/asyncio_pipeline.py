"""A pipeline of asyncio tasks: one hands out squares to compute, three workers, one collects."""

import asyncio

import zmq.asyncio

WORKERS, NUMBERS = 3, 30


async def worker(context, tasks_at, results_at):
    with context.socket(zmq.PULL) as tasks, context.socket(zmq.PUSH) as results:
        tasks.connect(tasks_at)
        results.connect(results_at)
        while (task := await tasks.recv()) != b"stop":
            await results.send(b"%d" % int(task) ** 2)


async def main():
    context = zmq.asyncio.Context()
    with context.socket(zmq.PUSH) as tasks, context.socket(zmq.PULL) as results:
        tasks.bind("inproc://tasks")
        results.bind("inproc://results")
        workers = [
            asyncio.create_task(worker(context, "inproc://tasks", "inproc://results"))
            for _ in range(WORKERS)
        ]
        for number in range(NUMBERS):
            await tasks.send(b"%d" % number)
        print("sum of squares:", sum([int(await results.recv()) for _ in range(NUMBERS)]))
        # Tasks go round: so many stops reach so many workers, one each.
        for _ in range(WORKERS):
            await tasks.send(b"stop")
        await asyncio.gather(*workers)
    context.term()


asyncio.run(main())
