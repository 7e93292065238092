"""Published weights that a job will look for."""

from __future__ import annotations

from typing import Any

from fer_lightning.config.evaluate import EvaluateConfig
from fer_lightning.features.inception import InceptionConfig
from fer_lightning.features.weights import INCEPTION
from fer_lightning.models.classifier.config import ClassifierConfig
from fer_lightning.models.classifier.pretrained import imagenet_published
from fer_lightning.models.config import ModelConfig
from fer_lightning.published import Published


def published_of(config: Any, measured: ModelConfig | None) -> dict[str, Published]:
    """The files that a job downloads where nobody has laid them ready, by the key that wants them.

    Args:
        config: The job's.
        measured: The model that an evaluation measures; None for other jobs.
    """
    found: dict[str, Published] = {}
    feature = getattr(config, "feature", None)
    # Every evaluation has a feature network, but only generating models are measured by it.
    asked = not isinstance(config, EvaluateConfig) or (measured and _generates(measured))
    if isinstance(feature, InceptionConfig) and feature.weights is None and asked:
        found["feature=inception"] = INCEPTION
    model = getattr(config, "model", None)
    if isinstance(model, ClassifierConfig) and model.pretrained and model.weights is None:
        found["model.pretrained=true"] = imagenet_published(model.network)
    return found


def _generates(model: ModelConfig) -> bool:
    return not (isinstance(model, ClassifierConfig) or model.translates or model.edits)
