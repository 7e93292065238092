"""When the boxes of two detectors are the same."""

from __future__ import annotations

import numpy as np
import pytest

from fer_lightning.benchmarks.detect import Boxes, different

BOXES = np.array([[10, 10, 50, 60], [100, 20, 140, 70]], np.float32)
NONE = np.zeros((0, 4), np.float32)


@pytest.mark.parametrize(
    ("other", "count"),
    [
        (BOXES, 0),
        (BOXES[::-1], 0),
        (BOXES + 0.4, 0),
        (BOXES + np.float32([0, 0, 0, 0.6]), 1),
        (BOXES[:1], 1),
        (BOXES[[0, 0]], 1),
        (NONE, 1),
    ],
)
def test_boxes_are_matched_in_any_order(other: Boxes, count: int) -> None:
    assert different([BOXES, NONE], [other, NONE]) == count
