"""Run folders and studies as the jobs leave them, made by hand."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fer_lightning.data.fingerprint import digest


def write(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def make_run(
    path: Path,
    seed: int = 0,
    metrics: Mapping[str, float] | None = None,
    images_seen: int = 100,
    finished: bool = True,
    archives: Sequence[str] = ("aaaaaaaa1111",),
    epochs: Mapping[int, float] | None = None,
    **model: Any,
) -> Path:
    identity = {"model": model, "seed": seed, "image_size": 16, "archives": list(archives)}
    write(path / "manifest.json", {"job": "train", "identity": identity, "command": "fer train x"})
    if finished:
        write(
            path / "results.json",
            {
                "schema": 1,
                "job": "train",
                "command": "fer train x",
                "metrics": {"g_loss": 1.0 + seed, "epoch": 3.0} if metrics is None else metrics,
                "images_seen": images_seen,
                "seconds": 10.0 + seed,
                "seed": seed,
                "device": "cpu",
                "threads": 1,
                "commit": "abc123",
            },
        )
    if epochs is not None:
        with (path / "metrics.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["images_seen", "d_loss", "epoch", "epoch_g_loss"])
            writer.writerow([7, 0.5, "", ""])
            writer.writerows([[10 * e, "", e, value] for e, value in epochs.items()])
    return path


def make_evaluation(
    run: Path,
    metrics: Mapping[str, float],
    split: str = "test",
    images_seen: int = 100,
    **protocol: Any,
) -> Path:
    name = "-".join(["evaluate", split, *(f"{k}{v}" for k, v in protocol.items())])
    return write(
        run / "evaluations" / f"{name}-{images_seen}.json",
        {
            "schema": 1,
            "job": "evaluate",
            "metrics": metrics,
            "protocol": {"split": split, "count": 50, **protocol},
            "images_seen": images_seen,
            "seconds": 2.0,
            "device": "cpu",
            "threads": 1,
            "commit": "abc123",
        },
    )


def make_probe(
    place: Path, metrics: Mapping[str, float], images_seen: int = 0, **protocol: Any
) -> Path:
    """What ``fer probe`` leaves beside a run, or beside the name of features without one."""
    name = f"probe-drawn-emotion-{digest(protocol)[:8]}"
    return write(
        place / "evaluations" / f"{name}.json",
        {
            "schema": 1,
            "job": "probe",
            "metrics": metrics,
            "protocol": {"task": "emotion", **protocol},
            "images_seen": images_seen,
            "seconds": 3.0,
            "device": "cpu",
            "threads": 1,
            "commit": "abc123",
            "command": "fer probe x",
            "archives": [{"path": "a", "remark": "Peak frames stand in."}],
            "notes": ["Folds are random."],
        },
    )


def cell(
    stage: str,
    job: str,
    seed: int | None,
    axes: Mapping[str, Any],
    path: Path | str | None,
    status: str = "done",
    error: str | None = None,
) -> dict[str, Any]:
    return {
        "stage": stage,
        "job": job,
        "seed": seed,
        "axes": dict(axes),
        "overrides": [],
        "status": status,
        "path": None if path is None else str(path),
        "error": error,
    }


def make_study(path: Path, cells: Sequence[Mapping[str, Any]], **study: Any) -> Path:
    plain = {
        "name": "tiny",
        "question": "Does it help?",
        "seeds": [0, 1, 2],
        "axes": {"model.spectral_norm": [True, False]},
        "baseline": {"model.spectral_norm": False},
        "stages": {
            "train": {"job": "train", "axes": {}, "overrides": []},
            "evaluate": {"job": "evaluate", "axes": {}, "overrides": ["run=cell:train"]},
        },
        "metrics": {},
        "table": None,
        **study,
    }
    content = {"schema": 1, "study": plain, "train": ["a=1"], "command": "fer study study=tiny"}
    write(path / "study.json", {**content, "cells": list(cells)})
    return path


def tiny_study(root: Path, values: Mapping[bool, Sequence[float]], **study: Any) -> Path:
    """Trainings and evaluations of the axis ``model.spectral_norm``, a seed a value."""
    cells = []
    for norm, scores in values.items():
        for seed, score in enumerate(scores):
            axes = {"model.spectral_norm": norm}
            run = make_run(root / f"multirun/train/r-{norm}-{seed}", seed, spectral_norm=norm)
            file = make_evaluation(run, {"fid": score, "fid/anger": score + 1})
            cells.append(cell("train", "train", seed, axes, run.relative_to(root)))
            cells.append(cell("evaluate", "evaluate", seed, axes, file.relative_to(root)))
    return make_study(root / "multirun/study/tiny-0123abcd", cells, **study)
