"""The image folder that we race against shows the archive's own pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from fer_lightning.benchmarks.feed import _check_equal, _image_folder


@pytest.mark.parametrize("channels", [1, 3])
def test_another_pixel_is_noticed(tmp_path: Path, channels: int) -> None:
    random = np.random.default_rng(0)
    faces = torch.from_numpy(random.integers(0, 256, (6, 16, 16, channels), np.uint8))
    files = _image_folder(tmp_path, faces, np.array([0, 1, 2, 2, 0, 1]), ["fear", "anger", "happy"])
    assert len(files) == 6
    _check_equal(files, faces)
    faces[4, 3, 2, 0] ^= 1
    with pytest.raises(RuntimeError, match="000004"):
        _check_equal(files, faces)
