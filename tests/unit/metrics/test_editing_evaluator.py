"""The editing evaluator on faces whose colour is their emotion."""

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
from torch import Tensor

from fer_lightning.config.evaluate import EditingConfig
from fer_lightning.data.batch import to_unit_range
from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.errors import UserError
from fer_lightning.metrics.distribution import frechet_distance
from fer_lightning.metrics.editing_evaluator import EditingEvaluator, EditingMeasurement
from fer_lightning.metrics.editing_judges import EditingJudge
from fer_lightning.metrics.functional.editing import critic_metrics
from fer_lightning.metrics.functional.translation import paired_ssim
from fer_lightning.metrics.report import editing_cautions
from tests.unit.metrics.painted import CLASSES, FULL, KEY, Painter, judge, painted_faces


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FER_ARCHIVES", str(tmp_path / "archives"))


@pytest.fixture
def faces(tmp_path: Path) -> FaceDataModule:
    return painted_faces(tmp_path / "faces")


def evaluator(
    faces: FaceDataModule, judges: Sequence[EditingJudge], split: str = "test", **settings: Any
) -> EditingEvaluator:
    return EditingEvaluator(faces, split, judges, EditingConfig(**settings), faces)


def measured_by(faces: FaceDataModule, module: Painter) -> EditingMeasurement:
    return evaluator(faces, []).measure(module)


def measured(measuring: EditingEvaluator) -> EditingMeasurement:
    return measuring.measure(Painter())


def test_a_faithful_editor_has_the_numbers_that_it_should(faces: FaceDataModule) -> None:
    found = measured(evaluator(faces, [judge()]))
    metrics = found.metrics
    for name in ("macro_f1", "macro_f1_real", "accuracy", "recall/fear", "recall_real/happiness"):
        assert metrics[name] == 1, name
    assert metrics["reconstruction_ssim"] == pytest.approx(1)
    assert metrics["identity_ssim"] == pytest.approx(1)
    # What is asked for is what is painted, and what the reader has learnt to read.
    assert metrics["intensity_rank"] > 0.99
    assert metrics["intensity_rank_face"] == pytest.approx(1)
    assert metrics["intensity_reader"] > 0.9
    assert metrics["intensity_reader_mae"] < 0.02
    read = found.details["curves"]["intensity read"]["fear"]
    assert read == pytest.approx(np.linspace(0, 1, 11), abs=0.02)
    # A logistic curve of 10 steps that the classifier's sharpness decides.
    asked = np.arange(1, 11) / 10 * FULL / 127.5
    # Logits over 8: neutral 0.1, the other emotion 0, anger, which the model does not know, -0.5.
    certain = 1 / (1 + (np.exp(0.8) + 1 + np.exp(-4)) * np.exp(-8 * asked))
    curve = found.details["curves"]["probability by classifier 1"]["fear"]
    assert curve == pytest.approx(certain, abs=1e-3)
    expected = np.diff(certain).max() / np.ptp(certain)
    assert metrics["smoothness"] == pytest.approx(expected, abs=1e-3)
    assert metrics["smoothness_skipped"] == 0
    assert found.protocol["left_out"] == {}


def test_edits_keep_labels_and_are_compared_with_the_very_faces(faces: FaceDataModule) -> None:
    found = measured(evaluator(faces, [judge()]))
    answers = found.answers
    assert answers is not None
    labels, targets = answers.selection.emotions, answers.targets
    assert sorted(labels) == sorted(targets)
    assert (labels != targets).any()
    colours = faces.archives[0].faces[answers.selection.rows].mean((1, 2)) / 127.5 - 1
    painted = colours[:, [2, 2, 2]]
    for number in (1, 2):
        painted[targets == number, number - 1] += FULL / 127.5
    expected = frechet_distance(*map(torch.from_numpy, (colours, painted)))
    assert found.metrics["fed"] == pytest.approx(expected, abs=1e-5)
    real, fake = (each.mean(1) + 0.3 for each in (colours, painted))
    np.testing.assert_allclose(answers.real, real, atol=1e-6)
    np.testing.assert_allclose(answers.fake, fake, atol=1e-6)
    of_critic = critic_metrics(answers.real, answers.fake, 0).metrics
    assert {name: found.metrics[name] for name in of_critic} == of_critic


def test_the_way_back_starts_from_the_edit(faces: FaceDataModule) -> None:
    found = measured_by(faces, Painter(loss=20))
    rows = faces.parts["test"]
    emotions = np.array([faces.emotions[row] for row in rows])
    real = to_unit_range(torch.from_numpy(faces.archives[0].faces[rows[emotions != "contempt"]]))
    twice = real - 2 * 20 / 127.5
    assert found.metrics["reconstruction_ssim"] == pytest.approx(paired_ssim(twice, real), abs=1e-5)
    assert found.metrics["identity_ssim"] > found.metrics["reconstruction_ssim"]  # edited once


def test_the_critic_sees_edits_as_files_have_them(faces: FaceDataModule) -> None:
    whole, half = (measured_by(faces, Painter(loss)).answers for loss in (1, 0.6))
    assert whole is not None
    assert half is not None
    np.testing.assert_allclose(whole.fake, half.fake, atol=1e-6)


def test_settings_decide_which_faces_are_edited_and_how(faces: FaceDataModule) -> None:
    module = Painter()
    few = evaluator(faces, [judge()], count=6, curve_faces=1, batch_size=4, intensity=0.5)
    found = few.measure(module)
    assert found.protocol["count"] == 6
    assert found.protocol["curves"]["faces"] == 1
    # Batches of 4 and 2 there and back; then one face at 0, and two emotions in ten steps.
    assert module.batches == [4, 4, 2, 2] + [1] * 21
    assert found.answers is not None
    half = found.answers.fake - (found.answers.fake.min())
    assert half.max() < FULL / 127.5 / 2
    by_seed = [measured(evaluator(faces, [], seed=seed)).answers for seed in (0, 0, 1)]
    targets = [answers.targets.tolist() for answers in by_seed if answers is not None]
    assert targets[0] == targets[1] != targets[2]
    whole = measured(evaluator(faces, [judge()])).metrics
    assert measured(evaluator(faces, [judge()], batch_size=3)).metrics == pytest.approx(whole)


def test_without_classifiers_the_rest_is_measured_and_the_remedy_told(
    faces: FaceDataModule, tmp_path: Path
) -> None:
    measuring = evaluator(faces, [])
    found = measured(measuring)
    assert {name.partition("_")[0] for name in found.metrics} == {
        "critic",
        "reconstruction",
        "identity",
    }
    (reason,) = found.protocol["skipped"].values()
    assert "pass editing.classifiers=[RUN,RUN]" in reason
    assert found.details["notes"] == [reason]
    measuring.write(tmp_path / "e.json", found)
    assert sorted(path.name for path in tmp_path.glob("e*")) == ["e.parquet"]


def test_several_classifiers_have_a_mean_and_a_spread(faces: FaceDataModule) -> None:
    found = measured(evaluator(faces, [judge(8), judge(2)])).metrics
    one, other = found["smoothness_1"], found["smoothness_2"]
    assert one != other
    assert found["smoothness"] == pytest.approx((one + other) / 2)
    assert found["smoothness_sd"] == pytest.approx(abs(one - other) / 2**0.5)
    assert {"smoothness_1/fear", "recall_real_2/fear", "recall/fear", "fed_1", "fed_2"} <= {*found}
    assert not {"fed", "fed_sd"} & {*found}
    assert "intensity_rank" in found
    alone = measured(evaluator(faces, [judge(8)])).metrics
    assert found["macro_f1_1"] == alone["macro_f1"]


def test_what_is_unknown_or_seen_before_is_said(tmp_path: Path) -> None:
    plain = painted_faces(tmp_path / "plain", known=False)
    found = measured(evaluator(plain, [judge(trained_on=None)]))
    assert not [name for name in found.metrics if name.startswith("intensity")]
    notes = "\n".join(found.details["notes"])
    assert "the archive knows no intensities" in notes
    assert "whether judge-8 was trained on these faces is unknown" in notes
    assert found.protocol["reader"] is None
    overlapping = painted_faces(tmp_path / "overlap", overlap=True)
    notes = "\n".join(measured(evaluator(overlapping, [judge()])).details["notes"])
    assert "the reader has learnt from 2 who are measured, too" in notes
    everything = measured(evaluator(overlapping, [judge()], split="all"))
    told = "the model was trained on 33 of these faces and faces of 6 of these people"
    assert told in everything.details["notes"]
    honest = measured(evaluator(painted_faces(tmp_path / "faces"), [judge()]))
    assert honest.details["notes"] == []
    foreign = EditingEvaluator(plain, "test", [], EditingConfig(), None)
    assert any("whether the model was trained" in n for n in measured(foreign).details["notes"])


def test_people_who_are_not_named_may_have_been_seen() -> None:
    nothing = {"skipped": {}, "trained_on": {"seen": 0, "people_seen": 0}, "classifiers": []}
    (note,) = editing_cautions({**nothing, "reader": {"people_in_both": None}}, [])
    assert note.startswith("whether intensity_rank is of unseen people is unknown")


def test_without_neutral_faces_none_are_led(faces: FaceDataModule, tmp_path: Path) -> None:
    emotions = np.array([faces.emotions[row] for row in faces.parts["test"]])
    faces.parts["test"] = faces.parts["test"][emotions != "neutral"]
    measuring = evaluator(faces, [judge()])
    found = measured(measuring)
    left_out = found.protocol["left_out"]
    assert left_out["identity_ssim"] == left_out["smoothness"] == "no neutral face"
    assert "smoothness" not in found.metrics
    assert "fed" in found.metrics
    assert found.details["curves"] == {}
    measuring.write(tmp_path / "e.json", found)
    assert not (tmp_path / "e.png").exists()


def test_it_writes_pictures_and_a_row_for_each_face(faces: FaceDataModule, tmp_path: Path) -> None:
    measuring = evaluator(faces, [judge(8), judge(2)])
    found = measured(measuring)
    path = tmp_path / "evaluation.json"
    measuring.write(path, found)
    table = pq.ParquetFile(path.with_suffix(".parquet")).read(use_threads=False).to_pydict()
    assert found.answers is not None
    assert table["path"] == [f"{n}.png" for n in range(36, 46)]
    assert table["target"] == [CLASSES[n] for n in found.answers.targets]
    assert table["predicted_edit_1"] == table["target"]
    assert table["predicted_real_1"] == table["emotion"]
    assert {"critic_real", "critic_edit", "predicted_edit_2", "subject"} <= {*table}
    for end in (".png", "-confusion-1.png", "-confusion-2.png"):
        with Image.open(tmp_path / f"evaluation{end}") as picture:
            assert min(picture.size) > 100
    content = {
        "metrics": found.metrics,
        "protocol": found.protocol,
        "images_seen": 7,
        **found.details,
    }
    lines = "\n".join(measuring.report(path, json.loads(json.dumps(content))))
    assert "10 faces, test of painted, edited at intensity 1; model at 7 images" in lines
    assert "left out, since the model does not know them: {'contempt': 1}" in lines
    assert "classifier 2: macro F1 " in lines
    assert f"curves: {path.with_suffix('.png')}" in lines


def test_the_protocol_tells_other_measurements_apart(faces: FaceDataModule) -> None:
    module = Painter()
    protocols = [
        evaluator(faces, judges, **settings).protocol(module)
        for judges, settings in (
            ([judge()], {}),
            ([judge(2)], {}),
            ([], {}),
            ([judge()], {"intensity": 0.9}),
            ([judge()], {"curve_faces": 2}),
        )
    ]
    again = evaluator(faces, [judge()]).protocol(module)
    assert again == protocols[0] == json.loads(json.dumps(again))
    assert len({json.dumps(each) for each in protocols}) == len(protocols)
    assert again["reader"] == {**again["reader"], "train": 33, "held": 10, "people_in_both": 0}
    assert again["archives"] == [KEY]


def test_edits_that_are_not_finite_are_refused(faces: FaceDataModule) -> None:
    class Broken(Painter):
        def edit(self, images: Tensor, points: Tensor) -> Tensor:
            return super().edit(images, points) / 0

    with pytest.raises(UserError, match="edits are not finite: its training diverged"):
        evaluator(faces, []).measure(Broken())


@pytest.mark.parametrize(
    "settings",
    [{"batch_size": 0}, {"seed": -1}, {"count": 0}, {"curve_faces": 0}, {"intensity": 1.5},
     {"intensity": 0.0}],
)  # fmt: skip
def test_settings_are_checked(settings: dict[str, float]) -> None:
    (key,) = settings
    with pytest.raises(UserError, match=rf"editing\.{key}={settings[key]}: give"):
        EditingConfig(**cast(Any, settings))
