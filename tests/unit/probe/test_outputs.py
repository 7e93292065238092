"""Pictures and predictions beside a probe's numbers agree with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from sklearn.metrics import roc_auc_score

from fer_lightning.config.probe import Task
from fer_lightning.probe import outputs
from fer_lightning.probe.answers import UNITS, Answers, ask, score
from fer_lightning.probe.outputs import confusion, files_of, write_files
from fer_lightning.probe.reading import read_faces, shared_emotions, vectors_of
from tests.unit.probe.probed import config, network

CPU = torch.device("cpu")
Drawn = dict[str, dict[str, float]]
"""Area of each curve, by panel."""


@pytest.fixture
def areas(monkeypatch: pytest.MonkeyPatch) -> Drawn:
    found: Drawn = {}

    def roc_picture(panels, path, title):  # type: ignore[no-untyped-def]
        found.update({n: {k: c[2] for k, c in curves.items()} for n, curves in panels.items()})
        return plain(panels, path, title)

    plain = outputs.roc_picture
    monkeypatch.setattr(outputs, "roc_picture", roc_picture)
    return found


def test_emotions_have_a_matrix_curves_and_predictions(tmp_path: Path, areas: Drawn) -> None:
    given = config()
    fit, _ = read_faces(given, network())
    names, (fit,), _ = shared_emotions(fit, None)
    answers = ask(given.task, [fit], [vectors_of(network(), fit, CPU)], names, given.probe)
    numbers = score(answers).metrics
    path = tmp_path / "probe.json"
    write_files(path, answers, fit, "title")
    files = files_of(path)
    for what in ("confusion matrix", "ROC curves"):
        with Image.open(files[what]) as picture:
            assert picture.width > 300
    assert set(areas) == set(names)
    assert set(areas["anger"]) == {"random folds", "grouped folds, nested"}
    assert areas["anger"]["random folds"] == numbers["probe_auc_random/anger"]
    matrix = confusion(answers)
    assert matrix.sum() == 70
    assert matrix.trace() / 70 == pytest.approx(numbers["probe_accuracy_grouped_nested"])
    assert matrix.sum(axis=1).tolist() == np.bincount(fit.labels).tolist()  # rows are the truth
    rows = pq.read_table(files["predictions"]).to_pylist()
    assert [row["emotion"] for row in rows] == [names[label] for label in fit.labels]
    assert [row["subject"] for row in rows] == fit.subjects.tolist()
    right = [row["emotion"] == row["predicted_random"] for row in rows]
    assert np.mean(right) == pytest.approx(numbers["probe_accuracy_random"])
    for person in np.unique(fit.subjects):
        assert len({row["fold_grouped"] for row in rows if row["subject"] == person}) == 1


def test_units_that_are_unknown_have_no_answer_and_no_curve(tmp_path: Path, areas: Drawn) -> None:
    given = config(task=Task.au)
    fit, _ = read_faces(given, network())
    fit.present[:5, UNITS.index("AU12")] = -1
    fit.present[:, UNITS.index("AU4")] = -1
    vectors = vectors_of(network(), fit, CPU)
    answers: Answers = ask(given.task, [fit], [vectors], UNITS, given.probe)
    path = tmp_path / "probe.json"
    write_files(path, answers, fit, "title")
    files = files_of(path)
    assert not files["confusion matrix"].exists()
    assert areas["AU4 brow lowerer"] == {}
    assert set(areas["AU12 lip corner puller"]) == {"random folds", "grouped folds"}
    rows = pq.read_table(files["predictions"]).to_pylist()
    assert [row["AU12"] for row in rows[:5]] == [None] * 5
    assert [row["score_grouped_AU12"] for row in rows[:5]] == [None] * 5
    assert {row["AU4"] for row in rows} == {None}
    known = rows[5:]
    under = roc_auc_score(
        [row["AU12"] for row in known], [row["score_grouped_AU12"] for row in known]
    )
    assert under == pytest.approx(areas["AU12 lip corner puller"]["grouped folds"])
    assert {row["predicted_grouped_AU12"] for row in known} <= {0, 1}
