"""``fer probe``: fit simple classifiers to features, within a set of faces and across two."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fer_lightning.config.probe import ProbeConfig, Task
from fer_lightning.devices import chosen_device
from fer_lightning.errors import UserError, naming
from fer_lightning.evaluations import damaged, finished
from fer_lightning.features.network import FeatureNetwork
from fer_lightning.loggers.wandb_results import show_results
from fer_lightning.probe.answers import UNITS, Answers, ask, score
from fer_lightning.probe.notes import notes
from fer_lightning.probe.outputs import confusion, write_files
from fer_lightning.probe.reading import (
    coded_units,
    read_faces,
    shared_emotions,
    vectors_of,
)
from fer_lightning.probe.report import place_of, protocol_of, report, title_of
from fer_lightning.runs import SCHEMA, JobResult, command_line, provenance, write_json


def run(config: ProbeConfig) -> JobResult:
    """Probe, or find the same probe, and print it.

    Raises:
        UserError: If the features or the faces are not to be had; names the key.
    """
    device = chosen_device(config.accelerator)
    network = _network(config).to(device)
    fit, test = read_faces(config, network)
    classes: list[str] | None = None
    if config.task is Task.emotion:
        classes, sets, left_out = shared_emotions(fit, test)
    else:
        sets, left_out = coded_units(fit, test)
    protocol = protocol_of(config, network, sets, classes, left_out, device)
    folder = _run_folder(config)
    path = place_of(config, folder, protocol)
    done = None if config.force else finished(path)
    if done is not None:
        print("this was measured before; force=true measures again")
        return _show(path, done)
    started = time.monotonic()
    vectors = [vectors_of(network, each, device) for each in sets]
    answers = ask(config.task, sets, vectors, classes or UNITS, config.probe)
    found = score(answers)
    path.parent.mkdir(parents=True, exist_ok=True)
    with naming(path):
        write_files(path, answers, sets[-1], title_of(protocol))
    content = {
        "schema": SCHEMA,
        "job": "probe",
        "run": None if folder is None else str(folder),
        "metrics": found.metrics,
        "protocol": {**protocol, "left_out": found.left_out},
        "images_seen": network.images_seen,
        "checkpoint": protocol["checkpoint"],
        "seed": config.probe.seed,
        "seconds": round(time.monotonic() - started, 3),
        "device": str(device),
        "threads": torch.get_num_threads(),
        "archives": [archive.record for each in sets for archive in each.faces.archives],
        "chosen": {name: outcome.settings for name, outcome in answers.outcomes.items()},
        "notes": notes(folder, network, sets, answers, config.probe),
        **_of_emotions(answers),
        "command": command_line(),
        **provenance(),
    }
    write_json(path, content)
    show_results(path, content, config.logger)
    return _show(path, content)


def _network(config: ProbeConfig) -> FeatureNetwork:
    """The feature network; mistakes are told by the keys that were typed."""
    space = config.space
    try:
        return space.build().requires_grad_(False).eval()
    except UserError as error:
        if config.feature is not None:
            raise
        text = str(error).replace("feature.run=", "run=").replace("feature.layer=", "layer=")
        raise UserError(text) from error


def _run_folder(config: ProbeConfig) -> Path | None:
    """Where the network was trained; None for one that is not ours."""
    run: Path | None = getattr(config.space, "run", None)
    return None if run is None else run.expanduser()


def _of_emotions(answers: Answers) -> dict[str, Any]:
    """The confusion matrix, and what a constant answer would score."""
    if answers.task is Task.au:
        return {}
    matrix = confusion(answers)
    return {
        "chance": float(np.bincount(answers.truth).max() / len(answers.truth)),
        "confusion": {
            "classes": list(answers.names),
            "rows_true": matrix.tolist(),
            "protocol": answers.honest,
        },
    }


def _show(path: Path, content: dict[str, Any]) -> JobResult:
    for archive in content.get("archives", []):
        if "remark" in archive:
            print(archive["remark"])
    try:
        lines = list(report(path, content))
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise damaged(path, error) from error
    print("\n".join(lines))
    print(f"probe: {path}")
    return JobResult(path, content["metrics"])
