"""What a job can use of the machine."""

from __future__ import annotations

import subprocess
import sys

import pytest

FAULTS = """
import resource, torch
from fer_lightning.devices import kept_memory

def faults(rounds=20):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(rounds):
        tensors = [torch.ones(12 * 2**20), torch.ones(12 * 2**20)]
        del tensors
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

usual = faults()
with kept_memory():
    faults(1)
    kept = faults()
print(usual, kept, faults())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc is Linux's")
def test_freed_memory_is_kept_for_the_next_tensor() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True, timeout=120
    )
    usual, kept, after = map(int, done.stdout.split())
    pages = 20 * 2 * 48 * 2**20 // 4096
    assert kept < pages / 10
    assert min(usual, after) > pages / 2
