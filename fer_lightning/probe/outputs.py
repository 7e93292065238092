"""Files beside a probe's numbers: the confusion matrix, ROC curves, and every prediction."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fer_lightning.config.probe import Task
from fer_lightning.labels import ACTION_UNITS, PAPER_D_ACTION_UNITS
from fer_lightning.metrics.functional.recognition import area, confusion_matrix
from fer_lightning.metrics.predictions import source_columns, write_table
from fer_lightning.pictures import Curve, confusion_picture, roc_picture
from fer_lightning.probe.answers import ACROSS, Answers, suffix_of
from fer_lightning.probe.reading import ProbeSet


def confusion(answers: Answers) -> NDArray[np.int64]:
    """Images of every true emotion (row) taken for every emotion (column), (K, K).

    By the protocol whose score says most about new people.
    """
    predicted = answers.outcomes[answers.honest].predicted
    return confusion_matrix(predicted, answers.truth, len(answers.names))


def write_files(path: Path, answers: Answers, tested: ProbeSet, title: str) -> None:
    """Write what :func:`files_of` lists.

    Args:
        path: Of the numbers; the others stand beside it.
        answers: What came out.
        tested: The faces that were tested.
        title: Above the pictures.
    """
    files = files_of(path)
    if answers.task is Task.emotion:
        how = _plain(answers.honest)
        confusion_picture(
            confusion(answers), answers.names, files["confusion matrix"], f"{title}, {how}"
        )
    roc_picture(_panels(answers), files["ROC curves"], title)
    write_table(files["predictions"], _predictions(answers, tested))


def files_of(path: Path) -> dict[str, Path]:
    """What may stand beside the numbers at ``path``."""
    return {
        "confusion matrix": path.with_name(f"{path.stem}-confusion.png"),
        "ROC curves": path.with_name(f"{path.stem}-roc.png"),
        "predictions": path.with_suffix(".parquet"),
    }


def _panels(answers: Answers) -> dict[str, dict[str, Curve]]:
    """Curves of every class or unit: by the paper's protocol, and by the most honest one."""
    from sklearn.metrics import roc_curve

    panels: dict[str, dict[str, Curve]] = {}
    for number in range(len(answers.names)):
        curves = panels.setdefault(_heading(answers, number), {})
        known, positive = _truth_of(answers, number)
        for protocol in (name for name in answers.outcomes if name in ("random", answers.honest)):
            outcome = answers.outcomes[protocol]
            scores = np.where(known, outcome.scores[:, number], np.nan)
            under = area(positive, scores)
            if np.isfinite(under):
                scored = np.isfinite(scores)
                false, true, _ = roc_curve(positive[scored], scores[scored])
                curves[_plain(protocol)] = (false, true, under)
    return panels


def _heading(answers: Answers, number: int) -> str:
    name = answers.names[number]
    if answers.task is Task.emotion:
        return name
    return f"{name} {ACTION_UNITS[PAPER_D_ACTION_UNITS[number]]}"


def _truth_of(answers: Answers, number: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Of which rows it is known whether they show a class or unit, and which of them do; (N,)."""
    if answers.task is Task.emotion:
        return np.ones(len(answers.truth), bool), answers.truth == number
    return answers.truth[:, number] >= 0, answers.truth[:, number] == 1


def _predictions(answers: Answers, tested: ProbeSet) -> pa.Table:
    """One row an image: where it is from, what it shows, and what each protocol took it for."""
    columns: dict[str, pa.Array] = {}
    if answers.task is Task.emotion:
        names = np.asarray(answers.names, dtype=object)
        columns["emotion"] = pa.array(names[answers.truth], pa.string())
    else:
        for name, own in zip(answers.names, answers.truth.T, strict=True):
            columns[name] = pa.array(own.astype(np.int8), pa.int8(), mask=own < 0)
    for protocol, outcome in answers.outcomes.items():
        suffix = suffix_of(protocol)
        if protocol != ACROSS:
            columns[f"fold{suffix}"] = pa.array(outcome.tested.astype(np.int16))
        if answers.task is Task.emotion:
            columns[f"predicted{suffix}"] = pa.array(names[outcome.predicted], pa.string())
        for number, name in enumerate(answers.names):
            if answers.task is Task.au:
                answer = outcome.predicted[:, number].astype(np.int8)
                columns[f"predicted{suffix}_{name}"] = pa.array(answer)
            scores = outcome.scores[:, number].astype(np.float32)
            columns[f"score{suffix}_{name}"] = pa.array(scores, mask=np.isnan(scores))
    table = source_columns(tested.faces, tested.rows)
    for name, column in columns.items():
        table = table.append_column(name, column)
    return table


def _plain(protocol: str) -> str:
    """A protocol in words."""
    words = {ACROSS: "other faces", "random": "random folds", "grouped": "grouped folds"}
    return words.get(protocol, f"{protocol.partition('_')[0]} folds, nested")
