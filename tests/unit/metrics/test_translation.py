"""The translation evaluator, with classifiers whose answers to every face are written down."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from fer_lightning.config.evaluate import TranslationConfig
from fer_lightning.data.archive_writer import ArchiveWriter, write_shard
from fer_lightning.data.corpora.base import SourceRow
from fer_lightning.data.corpora.folder import Folder
from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.data.index import Columns, excluded_table, index_table
from fer_lightning.detectors.whole_image import WholeImageConfig
from fer_lightning.errors import UserError
from fer_lightning.metrics.judges import Judge, judges_of
from fer_lightning.metrics.translation import TranslationEvaluator
from fer_lightning.models.classifier.config import ClassifierConfig
from fer_lightning.models.config import FaceFormat
from fer_lightning.models.egc_gan.config import EGCGANConfig, Encoder
from fer_lightning.models.egc_gan.module import EGCGAN
from tests.helpers.runs import saved_run
from tests.unit.metrics.helpers import no_faces

SIDE = 32
CLASSES = ["happiness", "fear"]
TRUTH = ["happiness", "fear", "happiness", "fear", "happiness", "happiness", "contempt", "fear"]
SPLITS = ["test"] * 4 + ["test", "train", "test", "train"]
KEY = "key-of-the-faces"
# Of the five test faces that the model knows: happiness, fear, happiness, fear, happiness.
FIRST = (["fear", "fear", "happiness", "anger", "happiness"], ["fear"] * 5)
SECOND = (
    ["happiness", "fear", "happiness", "fear", "fear"],
    ["happiness", "happiness", "happiness", "fear", "fear"],
)


def faces_of(folder: Path) -> FaceDataModule:
    """Face number n is all of brightness 10 n."""
    rows = [
        SourceRow(path=f"{n}.png", emotion=emotion, subject=f"S{n}", split=split)
        for n, (emotion, split) in enumerate(zip(TRUTH, SPLITS, strict=True))
    ]
    writer = ArchiveWriter(folder, KEY)
    faces = np.empty((len(rows), SIDE, SIDE, 1), np.uint8)
    faces[:] = 10 * np.arange(len(rows))[:, None, None, None]
    index = index_table(rows, [None] * len(rows), Columns.of(rows))
    write_shard(writer.partial, 0, faces, index, excluded_table([]))
    writer.publish(1, {"corpus": "shades"})
    data = Folder(archive=folder, batch_size=1)
    found = FaceDataModule(data, WholeImageConfig(), SIDE, 1, 0, [*CLASSES, "contempt"])
    found.setup()
    return found


def face_format(size: int, classes: Sequence[str]) -> FaceFormat:
    frequencies = [1.0] * len(classes)
    return FaceFormat(image_size=size, channels=1, classes=list(classes), frequencies=frequencies)


class Brighter(EGCGAN):
    """Makes every face brighter by five grey levels, and remembers what it was told."""

    def __init__(self, **settings: Any) -> None:
        config = EGCGANConfig(
            encoder=Encoder.lite, code_dim=4, width=2, classifier_weight=0, **settings
        )
        super().__init__(config, face_format(SIDE, CLASSES), 0)
        self.told: list[int] = []

    def translate(self, images: Tensor, emotions: Tensor | None = None) -> Tensor:
        assert emotions is not None
        self.told += emotions.tolist()
        return images + 5 / 127.5


class Written(nn.Module):
    """Answers what is written down for a face, and for its translation."""

    def __init__(self, classes: Sequence[str], before: Sequence[str], after: Sequence[str]) -> None:
        super().__init__()
        self.classes = list(classes)
        self.checkpoint = "-".join(before)
        self.before, self.after = before, after

    def forward(self, images: Tensor) -> Tensor:
        shades = ((images[:, 0, 0, 0] + 1) * 127.5).round().int().tolist()
        said = [(self.after if shade % 10 else self.before)[shade // 10] for shade in shades]
        numbers = torch.tensor([self.classes.index(name) for name in said])
        return nn.functional.one_hot(numbers, len(self.classes)).float()


def judge(answers: tuple[list[str], list[str]], *others: str, **settings: Any) -> Judge:
    network = Written([*CLASSES, *others], *answers)
    given = {"in_loss": False, "trained_on": no_faces(), **settings}
    return Judge(run=Path(answers[0][0]), network=cast(Any, network), **given)


@pytest.fixture
def faces(tmp_path: Path) -> FaceDataModule:
    return faces_of(tmp_path / "faces")


def evaluator(
    faces: FaceDataModule, judges: Sequence[Judge], split: str = "test", **settings: Any
) -> TranslationEvaluator:
    return TranslationEvaluator(faces, split, judges, TranslationConfig(**settings), faces, faces)


def test_numbers_are_those_counted_by_hand(faces: FaceDataModule) -> None:
    judges = [judge(FIRST, "anger"), judge(SECOND)]
    module = Brighter()
    found = evaluator(faces, judges, batch_size=2).measure(module)
    # Recognised of five: 3 and 4 before, 2 and 3 after.
    expected = {
        "tpr_before": 0.7,
        "tpr_before_sd": 0.2 / 2**0.5,
        "tpr_after": 0.5,
        "tpr_before/happiness": 2 / 3,
        "tpr_after/happiness": (0 + 2 / 3) / 2,
        "tpr_before/fear": (0.5 + 1) / 2,
        "tpr_after/fear": (1 + 0.5) / 2,
        "tpr_after_macro": (0.5 + 7 / 12) / 2,
        "gain": -0.2,
        "gain/fear": 0.0,
        "gain_worst": -1 / 3,
        "predicted_before/happiness": (2 + 2) / 10,
        "predicted_before/fear": (2 + 3) / 10,
        "predicted_before/anger": 1 / 10,
        "predicted_after/fear": (5 + 2) / 10,
        "predicted_after/anger": 0.0,
        "classes_predicted_before": 2.0,
        "classes_predicted_after": 1.5,
    }
    assert {name: found.metrics[name] for name in expected} == pytest.approx(expected)
    levels = np.array([0, 10, 20, 30, 40]) / 255
    brighter = levels + 5 / 255
    ssim = (2 * levels * brighter + 1e-4) / (levels**2 + brighter**2 + 1e-4)
    assert found.metrics["ssim_source"] == pytest.approx(ssim.mean(), abs=1e-6)
    assert module.told[:5] == [0, 1, 0, 1, 0]
    assert found.protocol["unknown_emotions"] == {"contempt": 1}
    rates = [(each["tpr_before"], each["tpr_after"]) for each in found.details["classifiers"]]
    assert np.array(rates) == pytest.approx(np.array([[0.6, 0.4], [0.8, 0.6]]))
    at_once = evaluator(faces, judges).measure(Brighter()).metrics
    assert at_once == pytest.approx(found.metrics)


def test_it_writes_two_pictures_and_every_answer(faces: FaceDataModule, tmp_path: Path) -> None:
    measuring = evaluator(faces, [judge(FIRST, "anger"), judge(SECOND)])
    found = measuring.measure(Brighter())
    path = tmp_path / "evaluation.json"
    measuring.write(path, found)
    table = pq.ParquetFile(path.with_suffix(".parquet")).read(use_threads=False).to_pydict()
    assert table["path"] == [f"{n}.png" for n in range(5)]
    assert table["emotion"] == TRUTH[:5]
    assert [table["predicted_before_1"], table["predicted_after_1"]] == list(FIRST)
    assert [table["predicted_before_2"], table["predicted_after_2"]] == list(SECOND)
    assert set(table) >= {"archive", "row", "frame", "subject"}
    for file in (path.with_suffix(".png"), tmp_path / "evaluation-answers.png"):
        with Image.open(file) as picture:
            assert min(picture.size) > 100
    content = {
        "metrics": found.metrics,
        "protocol": found.protocol,
        "images_seen": 7,
        **found.details,
    }
    lines = "\n".join(measuring.report(path, json.loads(json.dumps(content))))
    assert "5 faces, test of shades, as they are and translated; model at 7 images" in lines
    assert "classifier 2: tpr 0.8000 before, 0.6000 after: happiness" in lines
    for suffix in (".png", "-answers.png", ".parquet"):
        assert f": {tmp_path / 'evaluation'}{suffix}" in lines


def test_what_makes_rates_worth_less_is_said(faces: FaceDataModule) -> None:
    honest = evaluator(faces, [judge(FIRST, "anger")]).measure(Brighter())
    assert honest.details["notes"] == []
    whole = (FIRST[0] + ["fear"] * 3, FIRST[1] + ["fear"] * 3)
    judges = [
        judge(whole, "anger", in_loss=True, trained_on=faces),
        judge((SECOND[0] * 2, SECOND[1] * 2), trained_on=None),
    ]
    found = evaluator(faces, judges, "all").measure(Brighter(generator_label=True))
    assert found.protocol["trained_on"]["seen"] == 2
    notes = "\n".join(found.details["notes"])
    for told in (
        "fear stood in the model's loss",
        "learnt to translate 2 of these faces and faces of 2 of these people",
        "(transductive)",
        "is told the true emotion",
        "fear was trained on 2 of these faces and faces of 2 of these people",
        "whether happiness was trained on these faces is unknown",
    ):
        assert told in notes
    foreign = TranslationEvaluator(faces, "test", judges, TranslationConfig(), None, None)
    notes = "\n".join(foreign.measure(Brighter()).details["notes"])
    assert "whether the model was trained on these faces is unknown" in notes


def test_the_protocol_tells_other_measurements_apart(faces: FaceDataModule) -> None:
    one, other = judge(FIRST, "anger"), judge(SECOND)
    module = Brighter()
    protocols = [
        evaluator(faces, judges, split).protocol(module)
        for judges, split in (([one], "test"), ([other], "test"), ([one, other], "test"))
    ]
    again = evaluator(faces, [one]).protocol(module)
    assert again == protocols[0] == json.loads(json.dumps(again))
    assert len({json.dumps(each) for each in protocols}) == 3


def test_a_class_without_faces_has_no_row_in_the_sheet(tmp_path: Path) -> None:
    faces = faces_of(tmp_path / "faces")
    faces.parts["test"] = np.array([0, 2, 4])  # happiness alone
    found = evaluator(faces, [judge(FIRST, "anger")]).measure(Brighter())
    assert found.protocol["left_out"]["tpr_after/fear"] == "no image of this class"
    assert found.metrics["gain_worst"] == found.metrics["gain/happiness"]
    both = evaluator(faces_of(tmp_path / "both"), [judge(FIRST, "anger")]).measure(Brighter())
    assert found.sheet is not None
    assert both.sheet is not None
    assert found.sheet.height < both.sheet.height


def classifier_run(folder: Path, seed: int = 0, classes: Sequence[str] = CLASSES) -> Path:
    return saved_run(folder, ClassifierConfig(width=2), face_format(16, classes), seed)


def test_without_classifiers_the_one_in_the_loss_judges(tmp_path: Path) -> None:
    own = classifier_run(tmp_path / "own", classes=["anger", *CLASSES])
    module = Brighter(classifier=own)
    (alone,) = judges_of(module, [])
    assert alone.network.classes == [*CLASSES, "anger"]
    assert not alone.in_loss  # its weight in the loss is 0
    module.classifier_hash = alone.network.checkpoint
    other = classifier_run(tmp_path / "other", seed=1)
    copy = tmp_path / "copy"
    own.rename(copy)
    assert [each.in_loss for each in judges_of(module, [other, copy])] == [False, True]
    assert [each.trained_on for each in judges_of(module, [other, copy])] == [None, None]


def test_classifiers_that_cannot_judge_are_refused(tmp_path: Path) -> None:
    module = Brighter()
    with pytest.raises(UserError, match=r"translation\.classifiers is required, since the model"):
        judges_of(module, [])
    run = classifier_run(tmp_path / "run")
    with pytest.raises(UserError, match=r"run and .*run are one classifier; give it once"):
        judges_of(module, [run, run])
    less = classifier_run(tmp_path / "less", classes=["fear", "anger"])
    with pytest.raises(UserError, match=r"translation\.classifiers=.*does not know happiness"):
        judges_of(module, [less])
    with pytest.raises(UserError, match=r"translation\.classifiers=.*nowhere: there is no"):
        judges_of(module, [tmp_path / "nowhere"])


@pytest.mark.parametrize("settings", [{"batch_size": 0}, {"seed": -1}])
def test_settings_are_checked(settings: dict[str, int]) -> None:
    (key,) = settings
    with pytest.raises(UserError, match=rf"translation\.{key}={settings[key]}: give"):
        TranslationConfig(**cast(Any, settings))
