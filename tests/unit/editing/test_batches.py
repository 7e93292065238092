"""Edits in batches are those of the faces one by one."""

from __future__ import annotations

import pytest
import torch

from fer_lightning.editing import batches
from fer_lightning.editing.batches import edited
from tests.helpers.editing import tiny_editor


def test_each_face_is_edited_to_its_own_point(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "BATCH", 2)
    module = tiny_editor()
    random = torch.Generator().manual_seed(0)
    faces = torch.rand(5, 3, 32, 32, generator=random) * 2 - 1
    points = torch.rand(5, 2, generator=random)
    found = edited(module, faces, points)
    assert not found.requires_grad
    for face, point, one in zip(faces, points, found, strict=True):
        assert torch.allclose(module.edit(face[None], point[None])[0], one, atol=1e-5)
    assert (found[0] - found[1]).abs().max() > 1e-3
