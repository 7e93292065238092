"""What a job can use of the machine."""

from __future__ import annotations

import subprocess
import sys

import pytest

TRAINING = """
import resource, torch
from pathlib import Path
from fer_lightning.devices import kept_memory

def faults(rounds=20):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(rounds):
        tensors = [torch.ones(12 * 2**20), torch.ones(12 * 2**20)]
        del tensors
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def held():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

usual = faults()
with kept_memory():
    faults(5)
    kept, inside = faults(), held()
print(usual, kept, inside - held())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc is Linux's")
def test_freed_memory_is_kept_for_the_next_tensor_and_then_given_back() -> None:
    done = subprocess.run(
        [sys.executable, "-c", TRAINING], capture_output=True, text=True, check=True, timeout=120
    )
    usual, kept, given_back = map(int, done.stdout.split())
    assert kept < usual / 2
    assert given_back > 90 * 2**20  # nearly both tensors
