"""Time training steps by kernel of attention, on shapes that are new and on shapes seen before.

Example, on a GPU (XLM-R Large's shape, bf16):
    python benchmarks/attention.py --device cuda --layers 24 --width 1024 --heads 16 --lengths 40 --json attention.json
On a CPU, where only some kernels exist:
    python benchmarks/attention.py --layers 2 --width 64 --heads 4 --lengths 6

Each kernel takes one step per length, in mixed order, and then the same steps again, with the warnings that torch gave
meanwhile. A kernel that plans anew for every shape is slower in the first round. It ends with three runs of one step
from the same weights, which tell whether gradients are repeated bit for bit.
"""

import argparse
import json
import random
import statistics
import time
import warnings
from pathlib import Path

import torch
from transformers import XLMRobertaConfig, XLMRobertaModel

from adaptstilts.encoding.features import Feature
from adaptstilts.errors import ConfigError
from adaptstilts.models.batches import Padding, collate
from adaptstilts.models.heads import new_head, spec_for
from adaptstilts.models.network import TaskNetwork
from adaptstilts.runtime import Backward, attention_by, attention_text, autocast, make_deterministic, pick_device
from adaptstilts.tasks.spec import Kind
from adaptstilts.train.losses import loss_sum

KERNELS = ("auto", "flash", "efficient", "cudnn", "math")
VOCABULARY = 1000


def network_of(options, device):
    """Build a whole model of XLM-R's kind with random weights."""
    torch.manual_seed(0)
    config = XLMRobertaConfig(
        vocab_size=VOCABULARY,
        hidden_size=options.width,
        num_hidden_layers=options.layers,
        num_attention_heads=options.heads,
        intermediate_size=4 * options.width,
        max_position_embeddings=514,
        type_vocab_size=1,
    )
    encoder = XLMRobertaModel(config, add_pooling_layer=False)
    return TaskNetwork(encoder, new_head(spec_for(Kind.CLASSIFY, ("a", "b")), options.width, 0.1, seed=0), None).to(
        device
    )


def batch_of(length, rows, multiple, rng):
    """Make a batch whose longest row has a length."""
    lengths = [length, *(rng.randint(max(4, length // 2), length) for _ in range(rows - 1))]
    items = [
        Feature(((0, *(rng.randrange(5, VOCABULARY) for _ in range(size - 2)), 2),), index % 2, index)
        for index, size in enumerate(lengths)
    ]
    return collate(items, Kind.CLASSIFY, Padding(1, multiple, 512))


def step(network, batch, device, precision, backward):
    """Compute the gradients of one batch; return seconds."""
    batch = batch.to(device)
    if device.type == "cuda":
        torch.cuda.synchronize()
    started = time.perf_counter()

    def compute():
        torch.manual_seed(1)
        with autocast(device, precision):
            loss = loss_sum(Kind.CLASSIFY, batch.scores(network), batch.targets, batch.attention_mask)
        loss.backward()
        return float(loss.detach())

    network.zero_grad(set_to_none=True)
    backward.run(compute, lambda: network.zero_grad(set_to_none=True), device)
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started


def measure(name, options, device, multiple):
    """Time new and repeated shapes with one kernel."""
    rng = random.Random(0)
    lengths = [8 + 7 * number % 250 for number in range(1, options.lengths + 1)]
    batches = [batch_of(length, options.rows, multiple, rng) for length in lengths]
    network, backward = network_of(options, device).train(), Backward()
    with warnings.catch_warnings(record=True) as caught, attention_by(device, name):
        warnings.simplefilter("always")
        # So that loading kernels for the first time is not measured; its shape is none of the others'.
        step(network, batch_of(500, options.rows, multiple, rng), device, options.precision, backward)
        rounds = [[step(network, batch, device, options.precision, backward) for batch in batches] for _ in range(2)]
        gradients = []
        for _ in range(3):
            step(network, batches[-1], device, options.precision, backward)
            gradients.append([each.grad.clone() for each in network.parameters() if each.grad is not None])
    same = all(
        torch.equal(one, other) for found in gradients[1:] for one, other in zip(gradients[0], found, strict=True)
    )
    return {
        "attention": name,
        "kernels": attention_text(device, name),
        "multiple": multiple,
        "shapes": len({tuple(batch.input_ids.shape) for batch in batches}),
        "new_ms": 1e3 * statistics.median(rounds[0]),
        "repeated_ms": 1e3 * statistics.median(rounds[1]),
        "new_mean_ms": 1e3 * statistics.fmean(rounds[0]),
        "repeats_bits": same,
        "warnings": sorted({str(one.message).split(". ")[0][:100] for one in caught}),
    }


def main():
    """Measure every kernel that the device has, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--width", type=int, default=384)
    parser.add_argument("--heads", type=int, default=12)
    parser.add_argument("--rows", type=int, default=32)
    parser.add_argument("--lengths", type=int, default=30, help="Number of lengths, at most 250.")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    device = pick_device(options.device)
    make_deterministic(device)
    print(f"torch {torch.__version__}, {torch.cuda.get_device_name(0) if device.type == 'cuda' else 'CPU'}")
    print(
        f"{'attention':10} {'multiple':>8} {'shapes':>6} {'new ms':>8} {'mean':>8} {'repeated':>8}  same bits  warnings"
    )
    found = []
    for name in KERNELS:
        for multiple in (1, 8):
            try:
                row = measure(name, options, device, multiple)
            except (ConfigError, RuntimeError) as error:
                print(f"{name:10} {multiple:>8} not here: {str(error).splitlines()[0][:90]}")
                continue
            found.append(row)
            print(
                f"{name:10} {multiple:>8} {row['shapes']:>6} {row['new_ms']:>8.1f} {row['new_mean_ms']:>8.1f} "
                f"{row['repeated_ms']:>8.1f}  {'yes' if row['repeats_bits'] else 'no':9}  {'; '.join(row['warnings'])}"
            )
    if options.json:
        options.json.write_text(json.dumps({"torch": torch.__version__, "rows": found}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
