"""Which protocols a probe follows, its numbers, and what has to be said of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from fer_lightning.config.probe import ProbeSettings, Task
from fer_lightning.labels import EMOTIONS, PAPER_D_ACTION_UNITS, units_of_emotion
from fer_lightning.probe.answers import UNITS, Answers, ask, score
from fer_lightning.probe.notes import notes
from fer_lightning.probe.protocols import Outcome
from fer_lightning.probe.reading import ProbeSet
from tests.unit.probe.probed import network

FEW = ProbeSettings(folds=3, evaluations=2, inner_folds=2)
NAMES = ["happiness", "sadness", "anger"]


class Archive:
    """What notes ask of an archive."""

    key = "key"
    shape = (60, 16, 16, 1)
    manifest = MappingProxyType({"corpus": "small"})


def chosen(place: str = "fit", people: int = 6, **changes: Any) -> ProbeSet:
    """Sixty faces without faces: three emotions in turn, and people."""
    labels = np.arange(60) % 3
    faces: Any = type("Faces", (), {"archives": [Archive()]})()
    emotions = [EMOTIONS.index(NAMES[number]) for number in labels]
    given = ProbeSet(
        place=place,
        split="all",
        faces=faces,
        rows=np.arange(60),
        labels=labels,
        subjects=np.array([f"S{number // 3 % people}" for number in range(60)]),
        present=np.array([units_of_emotion(EMOTIONS[number]) for number in emotions]),
        relabelled=False,
    )
    return replace(given, **changes)


def vectors(labels: np.ndarray[Any, Any], seed: int = 0) -> Any:
    """Features that tell the emotion, with noise."""
    noise = np.random.default_rng(seed).normal(size=(len(labels), 4))
    return (np.eye(4)[labels] * 2 + noise).astype(np.float32)


@pytest.fixture(scope="module")
def emotions() -> Answers:
    fit = chosen()
    return ask(Task.emotion, [fit], [vectors(fit.labels)], NAMES, FEW)


def test_numbers_of_emotions_are_named_by_their_protocol(emotions: Answers) -> None:
    found = score(emotions)
    assert list(emotions.outcomes) == ["random", "random_nested", "grouped", "grouped_nested"]
    assert emotions.honest == "grouped_nested"
    overall = {name for name in found.metrics if "/" not in name}
    assert overall == {
        f"probe_{what}_{kind}{how}"
        for what in ("accuracy", "auc")
        for kind in ("random", "grouped")
        for how in ("", "_nested")
    }
    outcome = emotions.outcomes["grouped"]
    anger = emotions.truth == 2
    assert found.metrics["probe_auc_grouped/anger"] == roc_auc_score(anger, outcome.scores[:, 2])
    hits = (outcome.predicted == 2)[anger]
    assert found.metrics["probe_recall_grouped/anger"] == pytest.approx(hits.mean())
    areas = [found.metrics[f"probe_auc_grouped/{name}"] for name in NAMES]
    assert found.metrics["probe_auc_grouped"] == pytest.approx(np.mean(areas))
    assert found.metrics["probe_accuracy_random"] > 0.6
    assert not found.left_out


def test_people_are_told_apart_only_where_all_are_known() -> None:
    some = np.array(["S1"] * 59 + [""])
    unknown = chosen(subjects=some)
    fast = replace(FEW, nested=False)
    found = ask(Task.emotion, [unknown], [vectors(unknown.labels)], NAMES, fast)
    assert list(found.outcomes) == ["random"]
    assert found.reasons["grouped"] == "1 of 60 images do not say who is on them"
    assert found.reasons["random_nested"] == "probe.nested=false"
    alone = chosen(people=2)
    found = ask(Task.emotion, [alone], [vectors(alone.labels)], NAMES, fast)
    assert found.reasons["grouped"] == "probe.folds=3: there are only 2 people; give fewer folds"


def test_across_sets_numbers_have_no_suffix() -> None:
    fit, test = chosen(), chosen("test")
    found = ask(
        Task.emotion, [fit, test], [vectors(fit.labels), vectors(test.labels, 1)], NAMES, FEW
    )
    metrics = score(found).metrics
    assert {name for name in metrics if "/" not in name} == {
        "probe_accuracy",
        "probe_auc",
        "probe_accuracy_search",
    }
    assert metrics["probe_accuracy"] > 0.6
    assert "probe_auc/anger" in metrics
    assert "probe_recall/anger" in metrics


def test_units_that_nobody_shows_have_a_reason_and_no_number() -> None:
    fit = chosen()
    unknown = fit.present.copy()
    unknown[:, PAPER_D_ACTION_UNITS.index(4)] = -1
    unknown[:, PAPER_D_ACTION_UNITS.index(1)] = 1
    fit = replace(fit, present=unknown)
    found = ask(Task.au, [fit], [vectors(fit.labels)], UNITS, FEW)
    assert list(found.outcomes) == ["random", "grouped"]
    scored = score(found)
    assert scored.metrics["probe_au_auc_random/AU6"] > 0.7
    assert scored.left_out["probe_au_auc_random/AU2"] == "no tested image shows it"
    assert scored.left_out["probe_au_auc_random/AU4"] == "nobody has coded it"
    assert scored.left_out["probe_au_auc_random/AU1"] == "every tested image shows it"
    measured = [value for name, value in scored.metrics.items() if name.startswith(RANDOM)]
    assert scored.metrics["probe_au_auc_random"] == pytest.approx(np.mean(measured))
    # Anger alone has these three, so they are one question.
    assert len({scored.metrics[f"{RANDOM}{unit}"] for unit in (7, 23, 24)}) == 1


RANDOM = "probe_au_auc_random/AU"


def test_units_that_the_fitted_faces_lack_cannot_be_scored() -> None:
    fit, test = chosen(), chosen("test")
    lacking = fit.present.copy()
    lacking[:, PAPER_D_ACTION_UNITS.index(6)] = 0
    sets = [replace(fit, present=lacking), test]
    found = score(ask(Task.au, sets, [vectors(fit.labels), vectors(test.labels, 1)], UNITS, FEW))
    assert "do not have it both with and without" in found.left_out["probe_au_auc/AU6"]
    assert "probe_au_auc/AU12" in found.metrics


def outcome(**settings: Any) -> Outcome:
    return Outcome(np.zeros((60, 3)), np.zeros(60, np.int64), np.zeros(60, np.int64), settings)


@pytest.mark.parametrize(
    ("labelled", "told"), [(False, "these numbers are transductive"), (True, "is no test")]
)
def test_a_network_that_knows_the_faces_is_told(
    labelled: bool, told: str, emotions: Answers, tmp_path: Path
) -> None:
    manifest = {"identity": {"archives": ["key", "other"]}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    space = network()
    space.labelled = labelled
    first = notes(tmp_path, space, [chosen()], emotions, FEW)[0]
    assert told in first
    fitted, *others = notes(tmp_path, space, [chosen(), replace(chosen("test"), faces=far())],
                            emotions, FEW)  # fmt: skip
    assert "trained on images of fit (small)" in fitted
    assert not any(told in note for note in [fitted, *others])
    assert not any("trained" in note for note in notes(None, space, [chosen()], emotions, FEW))
    unknown = notes(tmp_path / "nowhere", space, [chosen()], emotions, FEW)[0]
    assert "is unknown: " in unknown


def far() -> Any:
    archive = Archive()
    archive.key = "far"
    return type("Faces", (), {"archives": [archive]})()


def test_what_is_too_kind_or_approximate_is_told(emotions: Answers) -> None:
    told = "\n".join(notes(None, network(), [chosen()], emotions, FEW))
    assert "probe_accuracy_random and probe_accuracy_grouped are the best of the search" in told
    assert "grouped folds test on people of whom no image was fitted" in told
    settings = replace(FEW, max_rows=30, nystroem=50)
    few = replace(emotions, outcomes={"across": outcome(rows_fitted=30)}, reasons={})
    told = "\n".join(notes(None, network(), [chosen()], few, settings))
    assert "a stratified draw of 30 images" in told
    assert "50 Nyström features" in told
    units = replace(few, task=Task.au, names=UNITS, truth=chosen().present)
    told = "\n".join(notes(None, network(), [chosen(relabelled=True)], units, FEW))
    assert "AU7, AU23 and AU24 are all anger" in told
    # Of sadness, of sadness and anger, of anger, of happiness.
    groups = "ask one thing: AU1, AU15; AU4, AU17; AU5, AU7, AU23, AU24; AU6, AU12, AU25"
    assert told.endswith(groups)


def test_a_network_of_another_size_is_told(emotions: Answers) -> None:
    space = network()
    space.faces = {"image_size": 64, "channels": 1}
    told = notes(None, space, [chosen()], emotions, FEW)[0]
    assert told == "faces of fit have 16 pixels; the network is shown them at 64"
