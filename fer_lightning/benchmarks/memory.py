"""The most memory that tensors hold at once, on the CPU and on a GPU."""

from __future__ import annotations

import os
from itertools import accumulate
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile


class PeakMemory:
    """The most bytes of tensors on a device between :meth:`start` and :meth:`stop`.

    Tensors that were there before do not count. On the CPU that is the sum of what PyTorch's
    profiler saw allocated and freed, which misses what libraries take for themselves; on a GPU
    it is what PyTorch's allocator says.

    Args:
        device: The device.

    Attributes:
        peak: Bytes; 0 before :meth:`stop`.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.peak = 0
        self._before = 0
        self._profile: Any = None

    def start(self) -> None:
        """Begin to look."""
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
            self._before = torch.cuda.memory_allocated(self.device)
            return
        os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # it reports missing GPUs as errors
        self._profile = profile(activities=[ProfilerActivity.CPU], profile_memory=True)
        self._profile.start()

    def stop(self) -> None:
        """End, and set :attr:`peak`."""
        if self.device.type == "cuda":
            self.peak = torch.cuda.max_memory_allocated(self.device) - self._before
            return
        self._profile.stop()
        events = self._profile.profiler.kineto_results.events()
        changes = [(e.start_ns(), e.nbytes()) for e in events if e.name() == "[memory]"]
        self.peak = max(accumulate(change for _, change in sorted(changes)), default=0)
        self._profile = None
