"""Readers of intensity on faces whose colour is their intensity."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch

from fer_lightning.metrics.intensity import IntensityReaders, KnownIntensities
from tests.unit.metrics.painted import CLASSES, Colours, painted_faces


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FER_ARCHIVES", str(tmp_path / "archives"))


def known_of(folder: Path, **settings: bool) -> KnownIntensities:
    faces = painted_faces(folder / "faces", **settings)
    found = KnownIntensities.of(faces, faces.parts["test"])
    assert isinstance(found, KnownIntensities)
    return found


def readers(known: KnownIntensities) -> IntensityReaders:
    return IntensityReaders(known, cast(Any, Colours()), CLASSES[1:], torch.device("cpu"))


def test_readers_find_what_was_painted(tmp_path: Path) -> None:
    known = known_of(tmp_path)
    found = readers(known)
    assert found.emotions == CLASSES[1:]
    assert found.quality.left_out == {}
    metrics = found.quality.metrics
    assert metrics["intensity_reader/fear"] > 0.9
    means = [metrics[f"intensity_reader_mae/{name}"] for name in CLASSES[1:]]
    assert metrics["intensity_reader_mae"] == pytest.approx(np.mean(means))
    assert max(means) < 0.02
    base = torch.tensor([[0.1, 0.1, 0.1], [0.1, 0.1 + 50 / 127.5, 0.1]])
    assert found.read(base, "fear") == pytest.approx([0, 0.5], abs=0.02)


def test_it_says_what_cannot_be_read_and_why(tmp_path: Path) -> None:
    known = known_of(tmp_path)
    of_fear = np.array([known.faces.emotions[row] == "fear" for row in known.train])
    few = KnownIntensities(known.faces, known.values, known.train[~of_fear], known.held)
    found = readers(few)
    assert found.emotions == ["happiness"]
    assert set(found.quality.left_out) == {"intensity_reader/fear", "intensity_rank/fear"}
    assert "needs 10 training faces" in found.quality.left_out["intensity_rank/fear"]
    neutral = [row for row in known.held if known.faces.emotions[row] == "neutral"]
    unrated = readers(KnownIntensities(known.faces, known.values, known.train, np.array(neutral)))
    assert unrated.emotions == CLASSES[1:]
    assert unrated.quality.metrics == {}
    assert "two known intensities" in unrated.quality.left_out["intensity_reader/fear"]


def test_people_in_both_parts_are_counted(tmp_path: Path) -> None:
    assert known_of(tmp_path).protocol()["people_in_both"] == 0
    assert known_of(tmp_path / "other", overlap=True).protocol()["people_in_both"] == 2


def test_faces_without_intensities_give_the_reason(tmp_path: Path) -> None:
    faces = painted_faces(tmp_path / "faces", known=False)
    reason = KnownIntensities.of(faces, faces.parts["test"])
    assert reason == "the archive knows no intensities, as drawn faces do (data=drawn)"
    faces = painted_faces(tmp_path / "known")
    faces.division["train"] = faces.division["train"][:0]
    reason = KnownIntensities.of(faces, faces.parts["test"])
    assert reason == "no training face, or no measured one, has a known intensity"
