"""Measure how long the search for leaks and overlaps takes on made-up English sentence pairs, and its memory.

Example: python benchmarks/overlaps.py --pairs 1100000

Processor time and memory without reading the pairs: they are made one after the other and not kept.
"""

import argparse
import random
import re
import time
from pathlib import Path

from adaptstilts.data.contamination.leaks import find_leak
from adaptstilts.data.contamination.overlap import compare, fingerprint
from adaptstilts.tasks.examples import PairExample

WORDS = ("the", "boat", "was", "letter", "in", "a", "winter", "teacher", "of", "garden", "and", "slowly")
SECONDS = {"making": 0.0}


def pairs(count, seed):
    """Make pairs of 12 and 8 words."""
    drawn = random.Random(seed)
    for row in range(count):
        start = time.process_time()
        first, second = (" ".join([f"row{row}", *drawn.choices(WORDS, k=length)]) for length in (11, 7))
        example = PairExample(str(row), first, second, 0)
        SECONDS["making"] += time.process_time() - start
        yield example


def resident():
    """Return the largest memory of this process so far, in bytes, as Linux counts it."""
    (line,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    return int(line) * 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=1_100_000)
    arguments = parser.parse_args()
    before, start = resident(), time.process_time()
    leak = find_leak(pairs(arguments.pairs, 1))
    leaks = time.process_time() - start - SECONDS["making"]
    SECONDS["making"], start = 0.0, time.process_time()
    found = compare(fingerprint(pairs(1000, 2)), fingerprint(pairs(arguments.pairs, 1)))
    overlaps = time.process_time() - start - SECONDS["making"]
    print(f"{leak.rows:,} pairs: leaks {leaks:.1f} s, overlaps {overlaps:.1f} s, {(resident() - before) / 1e6:.0f} MB")
    assert found


if __name__ == "__main__":
    main()
