"""What a measuring job has found, as a run of its own at Weights & Biases."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from fer_lightning.config.logger import LoggerConfig, WandbMode
from fer_lightning.errors import UserError
from fer_lightning.loggers.wandb_mirror import tags_of
from fer_lightning.loggers.wandb_run import WandbRun
from fer_lightning.runs import RunFolder


def show_results(path: Path, content: Mapping[str, Any], given: LoggerConfig | None) -> None:
    """Log a measurement: its numbers, tables, confusion matrix, and the pictures beside its file.

    It has the configuration of the run that was measured, so that both are grouped alike, and the
    protocol of the measurement.

    Args:
        path: The measurement's file, ``RUN/evaluations/NAME.json``.
        content: What stands in it.
        given: Where to log; None is as the run was trained, or nowhere if there is no run.
    """
    folder = path.parent.parent
    trained = _trained(folder)
    logger = _logger_of(trained) if given is None else given
    if logger.wandb is WandbMode.disabled:
        return
    window = WandbRun(logger, str(content["job"]), path.name)
    protocol = content["protocol"]
    parts = (protocol.get(key) for key in ("corpus", "split", "task"))
    tags = dict.fromkeys([*tags_of(trained), *(str(part) for part in parts if part)])
    try:
        name = RunFolder(path=folder, identity={}).id or folder.name
    except (OSError, ValueError):  # whoever measures needs the checkpoint alone
        name = folder.name
    resolved = {**trained, "protocol": protocol}
    window.open(folder, f"{folder.name}-{path.stem}", f"{name}-{path.stem}", resolved, list(tags))
    if window.run is None:
        return
    window.attempt(lambda: window.log(dict(_row(path, content))))
    window.close(0)


def _trained(folder: Path) -> dict[str, Any]:
    """The configuration of the measured run; empty for features that need none."""
    try:
        loaded = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError):
        return {}
    return loaded if isinstance(loaded, dict) else {}


def _logger_of(trained: Mapping[str, Any]) -> LoggerConfig:
    """How a run was logged; without W&B where it does not say so."""
    try:
        plain = dict(trained["logger"])
        return LoggerConfig(**{**plain, "wandb": WandbMode[plain["wandb"]]})
    except (KeyError, TypeError, ValueError, UserError):
        return LoggerConfig(wandb=WandbMode.disabled)


def _row(path: Path, content: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Everything that is logged, by name."""
    import wandb

    metrics = {k: v for k, v in content["metrics"].items() if math.isfinite(v)}
    yield "images_seen", content["images_seen"]
    yield from metrics.items()
    columns, rows = overall_table(metrics, content.get("intervals", {}))
    yield "tables/measures", wandb.Table(columns=[*columns], data=rows)
    columns, rows = class_table(metrics)
    if rows:
        yield "tables/classes", wandb.Table(columns=[*columns], data=rows)
    if confusion := content.get("confusion"):
        yield "confusion_matrix", _matrix(confusion["classes"], confusion["rows_true"])
    for picture in sorted(path.parent.glob(f"{path.stem}*.png")):
        name = picture.stem.removeprefix(path.stem).lstrip("-") or "picture"
        yield f"pictures/{name}", wandb.Image(str(picture))


def overall_table(
    metrics: Mapping[str, float], intervals: Mapping[str, Any]
) -> tuple[list[str], list[list[Any]]]:
    """Columns and rows: a measure a row, with its 95 % interval where it has one.

    Args:
        metrics: Value by name; those of one class, ``name/class``, are left out.
        intervals: Both ends by name.
    """
    rows = [
        [name, value, *(intervals.get(name) or (None, None))]
        for name, value in metrics.items()
        if "/" not in name
    ]
    return ["measure", "value", "low", "high"], rows


def class_table(metrics: Mapping[str, float]) -> tuple[list[str], list[list[Any]]]:
    """Columns and rows: a class a row, a column for each measure ``name/class``.

    Args:
        metrics: Value by name.
    """
    pairs = {tuple(name.split("/", 1)): value for name, value in metrics.items() if "/" in name}
    measures = list(dict.fromkeys(measure for measure, _ in pairs))
    classes = list(dict.fromkeys(name for _, name in pairs))
    rows = [[name, *(pairs.get((measure, name)) for measure in measures)] for name in classes]
    return ["class", *measures], rows


def _matrix(classes: list[str], counts: list[list[int]]) -> Any:
    """W&B's chart of a confusion matrix; its own function renumbers where a class is absent."""
    import wandb

    rows = [
        [true, predicted, count]
        for true, row in zip(classes, counts, strict=True)
        for predicted, count in zip(classes, row, strict=True)
    ]
    names = ("Actual", "Predicted", "nPredictions")
    return wandb.plot_table(
        "wandb/confusion_matrix/v1",
        wandb.Table(columns=list(names), data=rows),
        {name: name for name in names},
        {"title": "Confusion matrix"},
    )
