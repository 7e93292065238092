"""What decides a probe's numbers, where they are written, and what is printed of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from fer_lightning.config.probe import Method, ProbeConfig, ProbeSettings, Task
from fer_lightning.probe.answers import UNITS
from fer_lightning.probe.reading import ProbeSet, coded_units, read_faces, shared_emotions
from fer_lightning.probe.report import place_of, protocol_of, report, title_of
from tests.unit.probe.probed import config, network


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> ProbeSet:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_ARCHIVES", str(tmp_path_factory.mktemp("archives")))
        fit, _ = read_faces(config(), network())
    return fit


def protocol(given: ProbeConfig, faces: ProbeSet) -> dict[str, Any]:
    if given.task is Task.au:
        sets, left_out = coded_units(faces, None)
        names = None
    else:
        names, sets, left_out = shared_emotions(faces, None)
    return protocol_of(given, network(), sets, names, left_out, torch.device("cpu"))


def with_probe(**settings: Any) -> ProbeConfig:
    return config(probe=ProbeSettings(folds=3, evaluations=2, inner_folds=2, **settings))


def test_memory_decides_no_number_and_all_else_does(faces: ProbeSet) -> None:
    usual = protocol(with_probe(), faces)
    assert protocol(with_probe(memory=2), faces) == usual
    # What is taken in any case is the same when it is named.
    assert protocol(with_probe(classifier=Method.svm_rbf), faces) == usual
    for changed in ({"seed": 1}, {"nested": False}, {"classifier": Method.knn}, {"max_rows": 50}):
        assert protocol(with_probe(**changed), faces) != usual
    assert protocol(with_probe(), faces.only(faces.rows > 0)) != usual


def test_faces_are_counted_by_class_and_by_unit(faces: ProbeSet) -> None:
    facts = protocol(config(), faces)["fit"]
    assert (facts["count"], facts["people"], facts["image_size"]) == (70, 5, 16)
    assert sum(facts["classes"].values()) == 70
    found = protocol(config(task=Task.au), faces)
    assert found["classes"] == list(UNITS)
    assert found["fit"]["units"]["AU12"] == {"positive": 10, "known": 70}
    assert found["fit"]["relabelled"] is False
    unknown = replace(faces, subjects=faces.subjects.copy())
    unknown.subjects[3] = ""
    assert protocol(config(), unknown)["fit"]["people"] is None


def test_the_file_lies_beside_the_run_or_below_multirun(faces: ProbeSet) -> None:
    found = protocol(config(), faces)
    own = place_of(config(), None, found)
    assert own.parent == Path("multirun/probe/pixels/evaluations")
    assert own.name.startswith("probe-drawn-emotion-")
    assert place_of(config(), Path("RUN"), found) == Path("RUN/evaluations") / own.name
    other = place_of(config(), None, protocol(with_probe(seed=1), faces))
    assert other.name != own.name


def test_the_report_says_what_was_fitted_chosen_and_left_out(
    faces: ProbeSet, tmp_path: Path
) -> None:
    found = protocol(config(), faces)
    assert title_of(found) == "svm_rbf on pixels (64 values), 70 images of drawn"
    found["fit"]["left_out"] = {"unlabelled": 4}
    nested = {"folds": [{"C": c, "kernel_scale": 8.0} for c in (0.5, 20.0, 3.0)]}
    content = {
        "protocol": found | {"left_out": {"probe_auc_random/fear": "too few images"}},
        "metrics": {"probe_accuracy_random": 0.25},
        "chance": 1 / 7,
        "chosen": {"random": {"C": 1.0, "kernel_scale": 8.0}, "random_nested": nested},
        "notes": ["a remark"],
    }
    path = tmp_path / "probe.json"
    path.with_suffix(".parquet").touch()
    text = "\n".join(report(path, content))
    for line in (
        "fit: 70 images of 5 people, all of drawn, 16 pixels",
        "left out of fit: {'unlabelled': 4}",
        "accuracy of always saying the most frequent emotion: 0.14286",
        "setting, random: C 1, kernel_scale 8",
        "setting, random, nested: C 0.5 to 20, kernel_scale 8",
        "not measured (too few images): probe_auc_random of fear",
        "note: a remark",
        f"predictions: {tmp_path / 'probe.parquet'}",
    ):
        assert line in text.splitlines()
    assert "confusion matrix" not in text  # there is no such file
