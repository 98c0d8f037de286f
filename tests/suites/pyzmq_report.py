"""Adds up the reports of pyzmq's own tests: runs on our library, and one on the reference.

usage: pyzmq_report.py OURS.xml... [--reference REFERENCE.xml]

Prints what was skipped and why, what failed, and what passes on the reference only; then the
count. Here: what the reports say together. Not here: how they come about (pyzmq).
"""

import argparse
import collections
import sys
import xml.etree.ElementTree

KINDS = {"failure": "failed", "error": "failed", "skipped": "skipped"}


def read(path):
    """What came of each test, and why: {name: (outcome, reason)}."""
    tests = {}
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        outcome = ("passed", "")
        for child in case:
            if child.tag in KINDS:
                outcome = (KINDS[child.tag], " ".join((child.get("message") or "").split()))
        # A test whose teardown fails is told twice.
        if tests.get(name, ("passed",))[0] == "passed":
            tests[name] = outcome
    return tests


def count(tests):
    outcomes = collections.Counter(outcome for outcome, _ in tests.values())
    return ", ".join(f"{outcomes[kind]} {kind}" for kind in ("passed", "failed", "skipped"))


def skips(tests):
    """How many tests were skipped for each reason, the most first."""
    reasons = collections.Counter(why for outcome, why in tests.values() if outcome == "skipped")
    for why, number in reasons.most_common():
        print(f"  {number:3} skipped: {why}")


def main():
    parser = argparse.ArgumentParser(description="Adds up the reports of pyzmq's own tests.")
    parser.add_argument("ours", nargs="+")
    parser.add_argument("--reference")
    options = parser.parse_args()

    bad = set()
    runs = [read(path) for path in options.ours]
    for number, run in enumerate(runs, 1):
        print(f"run {number} of ours: {count(run)}")
        for name, (outcome, why) in run.items():
            if outcome == "failed":
                bad.add(name)
                print(f"  failed: {name}: {why}")
    skips(runs[0])

    if options.reference:
        reference = read(options.reference)
        print(f"the reference: {count(reference)}")
        skips(reference)
        for name, (there, why) in sorted(reference.items()):
            here = {run.get(name, ("missing",))[0] for run in runs}
            if there == "passed" and here != {"passed"}:
                bad.add(name)
                print(f"  passed by the reference only: {name} ({', '.join(sorted(here))} here)")
            elif there != "passed" and here == {"passed"}:
                print(f"  passed by ours only: {name}: {why}")

    passed = sum(all(run.get(name) == ("passed", "") for run in runs) for name in runs[0])
    print(f"{passed} passed, {len(bad)} failed")
    sys.exit(bool(bad) or passed == 0)


if __name__ == "__main__":
    main()
