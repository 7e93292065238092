"""Faces for probes that take a moment to draw, and what a job would make of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fer_lightning.config.probe import ProbeConfig, ProbeSettings, Task
from fer_lightning.data.corpora.drawn import Drawn
from fer_lightning.data.corpora.folder import Folder
from fer_lightning.detectors.whole_image import WholeImageConfig
from fer_lightning.features.network import FeatureNetwork
from fer_lightning.features.pixels import PixelsConfig
from tests.helpers.small import class_folders


def drawn(**settings: Any) -> Drawn:
    """Small pictures of five people."""
    return Drawn(**{"count": 70, "picture_size": 32, "subjects": 5, **settings})


def folder(path: Path) -> Folder:
    """Happiness, sadness and anger; people and action units are unknown."""
    return Folder(root=class_folders(path))


def config(**settings: Any) -> ProbeConfig:
    """A probe of pixels, of drawn faces where nothing else is given."""
    few = ProbeSettings(folds=3, evaluations=2, inner_folds=2)
    given = {
        "feature": PixelsConfig(side=8),
        "fit": drawn(),
        "detector": WholeImageConfig(),
        "image_size": 16,
        "task": Task.emotion,
        "probe": few,
    }
    return ProbeConfig(**{**given, **settings})


def network() -> FeatureNetwork:
    """Pixels, which need no weights."""
    return PixelsConfig(side=8).build().eval()
