"""What a job can use: the device of one that trains nothing, and a compiler."""

from __future__ import annotations

import os
import shutil
import sys

import torch

from fer_lightning.errors import UserError


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
