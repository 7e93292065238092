"""The peak of what tensors hold at once."""

from __future__ import annotations

import torch

from fer_lightning.benchmarks.memory import PeakMemory


def test_the_peak_is_what_was_there_together() -> None:
    mebibyte = 2**20
    there = torch.empty(8 * mebibyte, dtype=torch.uint8)
    watched = PeakMemory(torch.device("cpu"))
    watched.start()
    first = torch.empty(3 * mebibyte, dtype=torch.uint8)
    second = torch.empty(4 * mebibyte, dtype=torch.uint8)
    del first
    third = torch.empty(2 * mebibyte, dtype=torch.uint8)
    watched.stop()
    assert watched.peak == 7 * mebibyte
    assert len(there) + len(second) + len(third) == 14 * mebibyte
