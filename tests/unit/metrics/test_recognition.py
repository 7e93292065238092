"""The recognition evaluator: numbers by scikit-learn, what it writes, and how training heeds it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from sklearn.metrics import accuracy_score, f1_score

from fer_lightning.callbacks.clock import images_seen
from fer_lightning.config.evaluate import RecognitionConfig
from fer_lightning.data.corpora.folder import Folder
from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.detectors.whole_image import WholeImageConfig
from fer_lightning.loggers.metrics_file import MetricsFile
from fer_lightning.metrics.recognition import RecognitionEvaluator
from fer_lightning.metrics.report import cautions
from fer_lightning.models.classifier.config import ClassifierConfig, Schedule
from fer_lightning.models.classifier.module import Classifier
from tests.helpers.small import small_archive
from tests.unit.metrics.helpers import small_faces


def small_classifier(faces: FaceDataModule, **settings: Any) -> Classifier:
    given = {"width": 4, "schedule": Schedule.constant, **settings}
    return Classifier(ClassifierConfig(**given), faces.faces, seed=0)


def test_numbers_are_scikit_learns_on_what_it_predicted(tmp_path: Path) -> None:
    faces = small_faces(tmp_path)
    measuring = RecognitionEvaluator(faces, "all", RecognitionConfig(batch_size=7))
    found = measuring.measure(small_classifier(faces))
    assert found.recognition is not None
    truth, predicted = found.recognition.selection.emotions, found.recognition.predicted
    assert len(truth) == found.protocol["count"] == 60
    assert found.metrics["accuracy"] == accuracy_score(truth, predicted)
    assert found.metrics["macro_f1"] == pytest.approx(f1_score(truth, predicted, average="macro"))
    low, high = found.intervals["accuracy"]
    assert low <= found.metrics["accuracy"] <= high


def test_the_batch_changes_no_prediction_and_mirroring_does(tmp_path: Path) -> None:
    faces = small_faces(tmp_path)
    module = small_classifier(faces)

    def seen(**settings: Any) -> np.ndarray[Any, Any]:
        measuring = RecognitionEvaluator(faces, "test", RecognitionConfig(**settings))
        return measuring.recognise(module, best=True).probabilities

    np.testing.assert_allclose(seen(batch_size=2), seen(batch_size=9), atol=1e-6)
    assert np.abs(seen(flip=True) - seen()).max() > 1e-4


def test_it_writes_a_picture_and_every_prediction(tmp_path: Path) -> None:
    faces = small_faces(tmp_path)
    measuring = RecognitionEvaluator(faces, "test", RecognitionConfig())
    found = measuring.measure(small_classifier(faces))
    path = tmp_path / "evaluation.json"
    measuring.write(path, found)
    with Image.open(path.with_suffix(".png")) as picture:
        assert min(picture.size) > 200
    table = pq.ParquetFile(path.with_suffix(".parquet")).read(use_threads=False).to_pydict()
    right = [a == b for a, b in zip(table["emotion"], table["predicted"], strict=True)]
    assert np.mean(right) == pytest.approx(found.metrics["accuracy"])
    content = {
        "metrics": found.metrics,
        "protocol": found.protocol,
        "intervals": found.intervals,
        "images_seen": 0,
        **found.details,
    }
    lines = "\n".join(measuring.report(path, json.loads(json.dumps(content))))
    assert f"predictions: {path.with_suffix('.parquet')}" in lines
    matrix = np.array(content["confusion"]["rows_true"])
    assert matrix.sum(1).tolist() == [3, 3, 3]
    assert matrix.trace() == sum(right)
    assert "9 images, test of small" in lines


def test_added_faces_are_told_apart(tmp_path: Path) -> None:
    small_archive(tmp_path / "faces")
    small_archive(tmp_path / "extra", seed=1)
    data = Folder(
        archive=tmp_path / "faces", extra=[tmp_path / "extra"], extra_everywhere=True, batch_size=8
    )
    faces = FaceDataModule(data, WholeImageConfig(), 16, None, seed=0)
    faces.setup()
    found = RecognitionEvaluator(faces, "test", RecognitionConfig()).measure(
        small_classifier(faces)
    )
    assert found.recognition is not None
    right = found.recognition.predicted == found.recognition.selection.emotions
    own = found.recognition.selection.rows < 60
    assert 0 < own.sum() < len(own)
    assert found.protocol["extra"] == (~own).sum()
    assert "are of data.extra" in "\n".join(cautions(found.protocol))
    assert found.metrics["own_accuracy"] == pytest.approx(right[own].mean())
    assert found.metrics["extra_accuracy"] == pytest.approx(right[~own].mean())
    alone = RecognitionEvaluator(small_faces(tmp_path), "test", RecognitionConfig())
    assert "own_accuracy" not in alone.measure(small_classifier(faces)).metrics


def test_faces_for_training_alone_are_no_part_of_the_protocol(tmp_path: Path) -> None:
    small_archive(tmp_path / "faces")
    small_archive(tmp_path / "extra", seed=1)
    data = Folder(archive=tmp_path / "faces", extra=[tmp_path / "extra"], batch_size=8)
    more = FaceDataModule(data, WholeImageConfig(), 16, None, seed=0)
    more.setup()
    alone = small_faces(tmp_path)
    protocols = [
        RecognitionEvaluator(faces, "test", RecognitionConfig()).protocol(small_classifier(alone))
        for faces in (alone, more)
    ]
    assert len(more.archives) == 2
    assert protocols[0] == protocols[1]
    assert protocols[0]["labelled"] == 60


def fitted(
    folder: Path, validate: bool, max_images: int = 80, **settings: Any
) -> tuple[Classifier, RecognitionEvaluator, torch.Tensor]:
    """A short training with dropout; with validations every 24 images if wanted."""
    torch.manual_seed(0)
    faces = small_faces(folder)
    module = small_classifier(faces, dropout=0.3, **settings)
    measuring = RecognitionEvaluator(
        faces, "val", RecognitionConfig(), 24 if validate else None, max_images
    )
    trainer = lightning.Trainer(
        accelerator="cpu",
        logger=MetricsFile(folder / f"{validate}.csv"),
        max_epochs=max_images // 40,
        callbacks=[measuring],
        default_root_dir=folder,
        limit_val_batches=0,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(module, faces)
    return module, measuring, torch.get_rng_state()


def test_validating_changes_nothing_but_what_it_decides(tmp_path: Path) -> None:
    plain, _, state = fitted(tmp_path, validate=False)
    module, measuring, state_validated = fitted(tmp_path, validate=True)
    for name, weight in plain.network.state_dict().items():
        assert torch.equal(weight, module.network.state_dict()[name])
    assert torch.equal(state, state_validated)
    rows = MetricsFile(tmp_path / "True.csv").rows()
    assert [row["images_seen"] for row in rows] == ["24", "48", "72", "80"]
    assert max(float(row["val_accuracy"]) for row in rows) == pytest.approx(module.best_score)
    assert measuring.last is not None
    assert measuring.last.metrics["val_accuracy"] == pytest.approx(module.best_score)
    assert measuring.last.protocol["split"] == "val"


def test_patience_ends_a_training(tmp_path: Path) -> None:
    module, _, _ = fitted(tmp_path, validate=True, max_images=4000, patience=2, lr=1e-9)
    assert module.converged
    assert images_seen(module) < 4000


def test_an_empty_part_is_refused_before_training(tmp_path: Path) -> None:
    small_archive(tmp_path / "faces", splits=("train", "test"))
    faces = small_faces(tmp_path)
    faces.parts["val"] = faces.parts["val"][:1]
    measuring = RecognitionEvaluator(faces, "val", RecognitionConfig(), 8, 16)
    with pytest.raises(Exception, match="split=val: 1 images"):
        measuring.protocol(small_classifier(faces))
