"""Measure how long mining takes on made-up vectors.

Example: python benchmarks/mining.py --sides 20000 30000

Processor time of all threads together.
"""

import argparse
import time

import numpy as np

from adaptstilts.evaluate.retrieval import Side, mine_pairs


def side(name, count, width, numbers):
    ids = [f"{name}-{row}" for row in range(count)]
    return Side(ids, ids, numbers.normal(size=(count, width)).astype(np.float32))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sides", type=int, nargs=2, default=(20_000, 30_000), help="sentences of the two sides")
    parser.add_argument("--width", type=int, default=128)
    arguments = parser.parse_args()
    numbers = np.random.default_rng(1)
    sides = [side(name, count, arguments.width, numbers) for name, count in zip("fe", arguments.sides, strict=True)]
    start = time.process_time()
    pairs = mine_pairs(*sides)
    print(f"{len(pairs):,} pairs proposed, {time.process_time() - start:.1f} s")


if __name__ == "__main__":
    main()
