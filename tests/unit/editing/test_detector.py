"""Which detector finds the faces where the user chooses none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from fer_lightning.detectors.base import FaceChoice
from fer_lightning.detectors.mtcnn import MTCNNConfig
from fer_lightning.detectors.viola_jones import ViolaJonesConfig
from fer_lightning.editing.detector import detector_of_run
from tests.helpers.detected import detected_archive

OWN: dict[str, Any] = {"name": "viola_jones", "margin": 0.3, "face": "central"}
WANTED = ViolaJonesConfig(margin=0.3, face=FaceChoice.central)
JOBS: dict[str, Any] = {"name": "mtcnn", "margin": 0.2}


def write(folder: Path, archives: list[Path] = [], **data: Any) -> Path:  # noqa: B006
    config = {"data": {"archive": None, "detector": None, **data}, "detector": JOBS}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    (folder / "manifest.json").write_text(json.dumps({"archives": [str(p) for p in archives]}))
    return folder


def test_the_blocks_own_goes_first(tmp_path: Path) -> None:
    assert detector_of_run(write(tmp_path, detector=OWN)) == (WANTED, "as for the training")
    assert detector_of_run(write(tmp_path))[0] == MTCNNConfig(margin=0.2)


def test_a_given_archive_says_what_cut_its_faces(tmp_path: Path) -> None:
    settings = {key: value for key, value in OWN.items() if key != "name"}
    archive = detected_archive(tmp_path / "faces", {"anger": (5, 0)}, "viola_jones", **settings)
    run = write(tmp_path, [archive.path], archive="faces")
    assert detector_of_run(run)[0] == WANTED
    assert detector_of_run(write(tmp_path, [tmp_path / "gone"], archive="gone")) == (
        MTCNNConfig(),
        "the run does not say by which its own were",
    )


def test_whole_images_have_to_be_searched(tmp_path: Path) -> None:
    run = write(tmp_path, detector={"name": "whole_image"})
    assert detector_of_run(run) == (MTCNNConfig(), "those of the training came cut")


@pytest.mark.parametrize(
    "text", [None, "", "{", "data: 3", "data: {archive: null, detector: {name: own}}"]
)
def test_a_run_that_does_not_say(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "config.yaml").write_text(text)
    assert detector_of_run(tmp_path)[0] == MTCNNConfig()
