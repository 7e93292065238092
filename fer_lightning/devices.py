"""What a job can use: the device of one that trains nothing, a compiler, and memory."""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from fer_lightning.errors import UserError

TRIM_THRESHOLD, MMAP_THRESHOLD, MMAP_MAX = -1, -3, -4
"""Numbers of glibc's options in its ``malloc.h``."""
USUAL = {MMAP_THRESHOLD: 32 * 2**20, TRIM_THRESHOLD: 64 * 2**20, MMAP_MAX: 65536}
"""What glibc comes to have by itself in a process that frees large blocks."""


def chosen_device(accelerator: str) -> torch.device:
    """The device of ``accelerator=``: ``auto`` is the GPU where there is one.

    Raises:
        UserError: If a GPU is asked for and there is none.
    """
    if accelerator == "gpu" and not torch.cuda.is_available():
        raise UserError("accelerator=gpu: there is no CUDA device here; pass cpu or auto")
    use_gpu = accelerator != "cpu" and torch.cuda.is_available()
    return torch.device("cuda" if use_gpu else "cpu")


def can_compile() -> bool:
    """Whether :func:`torch.compile` finds the C++ compiler that it looks for."""
    usual = "clang++" if sys.platform == "darwin" else "g++"
    return shutil.which(os.environ.get("CXX", usual)) is not None


@contextmanager
def kept_memory() -> Iterator[None]:
    """Let the process keep the memory of freed tensors for the next ones, where glibc has it.

    By itself glibc gives large blocks back to the system and asks for them anew, and the system
    clears every page of them once more: up to a sixth of a training step on a CPU
    (docs/decisions/011-speed.md). Afterwards what is free goes back.
    """
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    mallopt = getattr(library, "mallopt", None)
    if library is None or mallopt is None:
        yield
        return
    mallopt(MMAP_MAX, 0)
    mallopt(TRIM_THRESHOLD, -1)
    try:
        yield
    finally:
        for option, value in USUAL.items():
            mallopt(option, value)
        library.malloc_trim(0)
