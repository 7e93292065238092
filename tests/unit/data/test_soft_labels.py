"""Votes as distributions over a model's classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fer_lightning.data.soft_labels import soft_labels
from fer_lightning.errors import UserError
from tests.helpers.small import small_archive

CLASSES = ["happiness", "anger"]


def test_votes_are_restricted_to_the_classes_and_renormalised(tmp_path: Path) -> None:
    votes = [
        {"happiness": 0.3, "anger": 0.1, "fear": 0.6},
        {"fear": 1.0},
        None,
        {"anger": 1.0},
    ]
    voted = small_archive(tmp_path / "a", count=4, votes=votes)
    plain = small_archive(tmp_path / "b", count=3)
    labels = np.array([0, 1, 0, 0, 1, 0, -1])
    targets = soft_labels([voted, plain], labels, CLASSES)
    assert targets.dtype == np.float32
    expected = [[0.75, 0.25], [0, 1], [1, 0], [0, 1], [0, 1], [1, 0], [0, 0]]
    assert targets == pytest.approx(np.array(expected))


def test_without_any_votes_the_key_is_named(tmp_path: Path) -> None:
    plain = small_archive(tmp_path / "a", count=3)
    with pytest.raises(UserError, match=r"data\.soft_labels=true: .*a has no votes.*fer_plus"):
        soft_labels([plain], np.zeros(3, np.int64), CLASSES)
