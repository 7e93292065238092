"""Classifiers that judge edits: which are taken, what they have seen, and means over them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from fer_lightning.errors import UserError
from fer_lightning.features.classifier import ClassifierFeatureConfig
from fer_lightning.features.network import ExpressionClassifier
from fer_lightning.metrics.distribution import Comparison
from fer_lightning.metrics.editing_judges import editing_judges, over_judges
from fer_lightning.models.classifier.config import ClassifierConfig
from fer_lightning.models.config import FaceFormat
from tests.helpers.runs import saved_run
from tests.unit.metrics.helpers import small_cgan, small_faces

CLASSES = ["neutral", "happiness", "fear"]


def classifier_run(folder: Path, seed: int = 0, classes: Sequence[str] = CLASSES) -> Path:
    ones = [1.0] * len(classes)
    faces = FaceFormat(image_size=16, channels=1, classes=list(classes), frequencies=ones)
    return saved_run(folder, ClassifierConfig(width=2), faces, seed)


def test_answers_stand_in_the_order_of_the_model(tmp_path: Path) -> None:
    run = classifier_run(tmp_path / "run", classes=["anger", "fear", "neutral", "happiness"])
    (judge,) = editing_judges(CLASSES, [run])
    assert judge.emotions == [*CLASSES, "anger"]
    faces = torch.randint(0, 256, (5, 24, 24, 3), dtype=torch.uint8)
    own = ExpressionClassifier(ClassifierFeatureConfig(run=run)).eval()(faces)
    vectors, logits = judge.features(faces)
    assert torch.equal(vectors, own.vectors)
    assert torch.equal(logits, own.logits[:, [2, 3, 1, 0]])
    assert editing_judges(CLASSES, []) == []


def test_classifiers_that_cannot_judge_are_refused(tmp_path: Path) -> None:
    run = classifier_run(tmp_path / "run")
    with pytest.raises(UserError, match=r"editing\.classifiers: .*run and .*run are one classifi"):
        editing_judges(CLASSES, [run, run])
    less = classifier_run(tmp_path / "less", classes=["fear", "neutral"])
    with pytest.raises(UserError, match=r"editing\.classifiers=.*less does not know happiness"):
        editing_judges(CLASSES, [less])
    with pytest.raises(UserError, match=r"editing\.classifiers=.*nowhere: there is no checkpoint"):
        editing_judges(CLASSES, [tmp_path / "nowhere"])
    faces = small_faces(tmp_path)
    gan = saved_run(tmp_path / "gan", small_cgan(faces).config, faces.faces)
    with pytest.raises(UserError, match=r"editing\.classifiers=.*gan is no classifier; train"):
        editing_judges(CLASSES, [gan])


def test_what_a_classifier_was_trained_on_is_unknown_unless_its_run_says_so(
    tmp_path: Path,
) -> None:
    run, faces = classifier_run(tmp_path / "run"), small_faces(tmp_path)
    (judge,) = editing_judges(CLASSES, [run])
    assert judge.trained_on is None
    (path, key) = (str(faces.archives[0].path), faces.archives[0].key)
    data = {"name": "folder", "archive": path, "batch_size": 8, "detector": None}
    shape = {"image_size": 16, "channels": 1, "seed": 0, "detector": {"name": "whole_image"}}
    (run / "config.yaml").write_text(json.dumps({"data": data, **shape}))
    manifest = {"identity": {"archives": [key]}, "archives": [path]}
    (run / "manifest.json").write_text(json.dumps(manifest))
    (judge,) = editing_judges(CLASSES, [run])
    assert judge.trained_on is not None
    assert judge.trained_on.division["train"].tolist() == faces.division["train"].tolist()
    (run / "manifest.json").write_text(json.dumps({**manifest, "identity": {"archives": ["x"]}}))
    (judge,) = editing_judges(CLASSES, [run])
    assert judge.trained_on is None


def test_means_are_over_all_classifiers_and_distances_have_none() -> None:
    found = [
        Comparison({"fed": 3.0, "macro_f1": 0.2, "recall/fear": 0.5, "smoothness": 0.3}),
        Comparison({"fed": 9.0, "macro_f1": 0.4, "recall/fear": 0.7}, {"smoothness": "flat"}),
    ]
    merged = over_judges(found)
    assert merged.metrics == pytest.approx(
        {
            "macro_f1": 0.3,
            "macro_f1_sd": 0.2 / 2**0.5,
            "recall/fear": 0.6,
            "recall_sd/fear": 0.2 / 2**0.5,
            "fed_1": 3.0,
            "fed_2": 9.0,
            "macro_f1_1": 0.2,
            "macro_f1_2": 0.4,
            "recall_1/fear": 0.5,
            "recall_2/fear": 0.7,
            "smoothness_1": 0.3,
        }
    )
    assert merged.left_out == {"smoothness": "none by classifier 2", "smoothness_2": "flat"}
    assert over_judges(found[:1]) is found[0]
    assert over_judges([]) == Comparison()
