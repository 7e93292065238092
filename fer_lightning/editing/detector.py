"""Which detector finds the faces that a run is to edit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from omegaconf.errors import OmegaConfBaseException

from fer_lightning.config.plain import from_plain
from fer_lightning.data.archive import FaceArchive
from fer_lightning.detectors.base import DetectorConfig
from fer_lightning.detectors.mtcnn import MTCNNConfig
from fer_lightning.detectors.whole_image import WholeImageConfig
from fer_lightning.errors import UserError
from fer_lightning.registry import detectors


def detector_of_run(folder: Path) -> tuple[DetectorConfig, str]:
    """The detector that cut the faces of a run's training, and in words whose it is.

    It is MTCNN where a run does not say, and where it was trained on whole images: such faces
    were cut by whoever made the dataset, while a photograph still has to be searched.

    Args:
        folder: The run's.
    """
    try:
        plain = _recorded(folder)
        found: DetectorConfig | None = None if plain is None else from_plain(detectors, plain)
    except (KeyError, TypeError, OmegaConfBaseException, UserError):
        found = None
    if found is None:
        return MTCNNConfig(), "the run does not say by which its own were"
    if isinstance(found, WholeImageConfig):
        return MTCNNConfig(), "those of the training came cut"
    return found, "as for the training"


def _recorded(folder: Path) -> dict[str, Any] | None:
    """As plain data: what a given archive was made with, else what the configuration says."""
    try:
        config = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
        if config["data"]["archive"] is None:
            chosen: dict[str, Any] = config["data"]["detector"] or config["detector"]
            return chosen
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        archive = FaceArchive.open(Path(manifest["archives"][0]))
        return archive.manifest.get("detector")
    except (OSError, ValueError, KeyError, IndexError, TypeError, yaml.YAMLError):
        return None
