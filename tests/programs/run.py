#!/usr/bin/env python3
"""Runs real programs on an installed libzmq and checks every count and output.

usage: run.py --prefix DIR [--python VENV/bin/python] [--aught PATH] [--only TEXT] [--list]

Here: which scenarios run, and the report: one line each, then a count. Not here: the
scenarios (scenes_*.py, one for each kind of program) and how their processes are handled
(harness.py). Uses Python's standard library only; --python names the interpreter
that has pyzmq, --aught the command.
"""

import argparse
import os
import sys
import time

import scenes_examples
import scenes_java
import scenes_native
import scenes_python
from harness import HERE, Failure, Scene, Setup, complain

SECONDS = 60


def arguments():
    parser = argparse.ArgumentParser(description="Runs real programs on an installed libzmq.")
    parser.add_argument("--prefix", required=True, help="tree with lib/libzmq.so.5 and include/")
    parser.add_argument("--python", help="interpreter with pyzmq; without it, no Python programs")
    parser.add_argument("--aught", help="the command; without it, no program that uses it")
    parser.add_argument("--only", help="run scenarios whose name contains this")
    parser.add_argument("--list", action="store_true", help="name the scenarios and stop")
    parser.add_argument("--repeat", type=int, default=1, help="run each so many times")
    parser.add_argument(
        "--build-dir",
        default=os.path.join(HERE, "../../target/programs"),
        help="where the C, C++ and Java programs are built (default: target/programs)",
    )
    parser.add_argument(
        "--sync-updates",
        type=int,
        default=1_000_000,
        help="updates of the synchronized publisher (default: 1000000)",
    )
    return parser.parse_args()


def run_one(setup, name, play, seconds):
    """Plays one scenario; returns whether it held."""
    scene = Scene(setup, name, seconds)
    started = time.monotonic()
    try:
        play(scene)
        for program in scene.programs:
            if program.quiet and program.err:
                raise Failure(f"{program.label} complained: {program.err.splitlines()[-1]}")
    except Failure as failure:
        print(f"FAIL {name}: {failure}", flush=True)
        for text in scene.logs():
            complain(text)
        return False
    finally:
        scene.close()
    detail = f" {scene.detail}" if scene.detail else ""
    print(f"ok {name}{detail} in {time.monotonic() - started:.1f} s", flush=True)
    return True


def main():
    options = arguments()
    setup = Setup(options.prefix, options.python, options.build_dir, options.sync_updates)
    setup.aught = os.path.abspath(options.aught) if options.aught else None
    if not os.path.exists(os.path.join(setup.lib, "libzmq.so.5")):
        sys.exit(f"no libzmq.so.5 in {setup.lib}")

    scenes = {**scenes_native.SCENES, **scenes_java.SCENES, **scenes_examples.SCENES}
    if setup.python or options.list:
        scenes = {**scenes_python.SCENES, **scenes}
    else:
        scenes = {n: s for n, s in scenes.items() if not getattr(s[0], "needs_python", False)}
        print("without --python: the Python programs do not run", flush=True)
    if not (setup.aught or options.list):
        scenes = {n: s for n, s in scenes.items() if not getattr(s[0], "needs_aught", False)}
        print("without --aught: programs that use the command do not run", flush=True)
    if options.only:
        scenes = {name: scene for name, scene in scenes.items() if options.only in name}
    if options.list:
        print("\n".join(scenes))
        return
    if not scenes:
        sys.exit(f"no scenario contains '{options.only}'")

    outcomes = []
    for name, (play, seconds) in scenes.items():
        for _ in range(options.repeat):
            outcomes.append(run_one(setup, name, play, seconds or SECONDS))
    failed = outcomes.count(False)
    print(f"{len(outcomes) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
