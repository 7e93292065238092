"""RetinaFace beside what the published code finds in real photographs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fer_lightning.data.images import read_image
from fer_lightning.detectors.base import Detection
from fer_lightning.detectors.retinaface import RetinaFace, RetinaFaceConfig
from tests.conftest import real_file


@pytest.fixture(scope="module")
def expected(real_data: Path) -> dict[str, Any]:
    """By photograph, what the published code found."""
    path = real_file(real_data / "retinaface_golden.json")
    photographs: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["images"]
    return photographs


@pytest.fixture(scope="module")
def detector(real_data: Path) -> RetinaFace:
    path = real_file(real_data / "retinaface_mobilenet025.pth")
    return RetinaFaceConfig(weights=path, threshold=0.5).build()


@pytest.mark.parametrize("together", [False, True])
def test_equals_the_published_code(
    together: bool, expected: dict[str, Any], detector: RetinaFace, muxspace_root: Path
) -> None:
    photographs = [read_image(muxspace_root / "images" / name) for name in expected]
    found = (
        detector.detect(photographs)
        if together
        else [detector.detect([photograph])[0] for photograph in photographs]
    )
    assert len(expected) == 16
    for photograph, faces, known in zip(photographs, found, expected.values(), strict=True):
        assert photograph.shape[:2] == (known["height"], known["width"])
        assert len(faces) == len(known["faces"]) > 0
        for face, other in zip(faces, known["faces"], strict=True):
            assert_close(face, other)


def assert_close(face: Detection, other: dict[str, Any]) -> None:
    assert face.landmarks is not None
    np.testing.assert_allclose(face.box, other["box"], atol=0.5)
    np.testing.assert_allclose(face.landmarks.ravel(), other["landmarks"], atol=0.5)
    assert face.score == pytest.approx(other["score"], abs=0.01)
