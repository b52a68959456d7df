import math
from array import array

import torch

from adaptstilts.encoding.features import IGNORED, Feature
from adaptstilts.models.batches import collate, group_choices, sorted_batches
from adaptstilts.tasks.spec import Kind
from adaptstilts.train.batches import targets_in


def item(ids, target=None):
    target = array("i", target) if isinstance(target, tuple) else target
    return Feature((array("i", ids),), target, 0)


def test_sorted_batches_bound_the_padded_size():
    made = [item([5] * size) for size in (3, 9, 4, 4, 20, 1)]
    batches = list(sorted_batches(made, 18))
    assert sorted(index for batch in batches for index in batch) == list(range(6))
    widths = [(len(batch), max(made[index].size for index in batch)) for batch in batches]
    assert all(count * width <= 18 for count, width in widths if count > 1)
    assert batches[0] == [4]


def test_collate_pads_ids_masks_and_tags():
    items = [item((0, 7, 2), (IGNORED, 3, IGNORED)), item((0, 2), (IGNORED, IGNORED))]
    batch = collate(items, Kind.TAG, 1)
    assert batch.input_ids.tolist() == [[0, 7, 2], [0, 2, 1]]
    assert batch.attention_mask.tolist() == [[1, 1, 1], [1, 1, 0]]
    assert batch.targets.tolist() == [[IGNORED, 3, IGNORED], [IGNORED] * 3]
    assert targets_in(items, Kind.TAG) == 1


def test_group_choices_fills_questions_with_fewer_choices():
    grouped = group_choices(torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0]), [2, 3])
    assert grouped.tolist() == [[1.0, 2.0, -math.inf], [3.0, 4.0, 5.0]]
