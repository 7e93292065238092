"""The settings of torch under which a detector finds the same faces on any machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def repeatable() -> Iterator[None]:
    """The same faces on any machine: float32 kept whole, and one thread, as workers have.

    How many threads share a sum moves boxes by float noise, and then a pixel of the crop.
    """
    import torch

    precision, threads = torch.get_float32_matmul_precision(), torch.get_num_threads()
    torch.set_float32_matmul_precision("highest")
    torch.set_num_threads(1)
    try:
        # Benchmarks would run anew for each size of image.
        with torch.backends.cudnn.flags(enabled=True, benchmark=False, allow_tf32=False):
            yield
    finally:
        torch.set_float32_matmul_precision(precision)
        torch.set_num_threads(threads)
