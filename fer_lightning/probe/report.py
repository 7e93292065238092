"""A probe's protocol, which names its file, and what is printed of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fer_lightning.config.plain import to_plain
from fer_lightning.config.probe import ProbeConfig, ProbeSettings
from fer_lightning.data.fingerprint import digest
from fer_lightning.features.network import FeatureNetwork
from fer_lightning.metrics.extraction import BATCH
from fer_lightning.metrics.report import table, unmeasured
from fer_lightning.probe.answers import UNITS, method_of
from fer_lightning.probe.outputs import files_of
from fer_lightning.probe.reading import ProbeSet

VERSION = 1
"""Raised whenever the same features and faces come to give other numbers, for results are named
by it; what a feature network alone changes is told by the network's own version."""
NO_RESULT = ("memory",)
"""Settings that decide no number."""


def protocol_of(
    config: ProbeConfig,
    network: FeatureNetwork,
    sets: Sequence[ProbeSet],
    classes: Sequence[str] | None,
    left_out: Mapping[str, Mapping[str, int]],
    device: torch.device,
) -> dict[str, Any]:
    """All that decides what a probe will find, as plain data.

    Args:
        config: The job's.
        network: Gives the features.
        sets: Faces to fit to and, where there are others, to test on; rows as the task needs them.
        classes: Emotions, where the task is to tell them apart.
        left_out: Rows left out of each set, by reason.
        device: Where features are computed.
    """
    feature = dict(network.protocol)
    checkpoint = feature.pop("checkpoint", None)
    settings = {
        field.name: to_plain(getattr(config.probe, field.name))
        for field in fields(ProbeSettings)
        if field.name not in NO_RESULT
    }
    return {
        "version": VERSION,
        "task": config.task.name,
        "corpus": "-to-".join(each.corpus for each in sets),
        "count": len(sets[-1]),
        "device": device.type,
        "feature": feature,
        "values": network.num_features,
        "feature_batch": BATCH,
        "checkpoint": checkpoint,
        "classes": list(classes) if classes is not None else list(UNITS),
        **{each.place: _facts(each, classes, left_out[each.place]) for each in sets},
        "probe": settings | {"classifier": method_of(config.task, config.probe).name},
        "seed": config.probe.seed,
    }


def _facts(
    chosen: ProbeSet, classes: Sequence[str] | None, left_out: Mapping[str, int]
) -> dict[str, Any]:
    """What is known of the faces of one set."""
    _, size, _, channels = chosen.faces.archives[0].shape
    facts = {
        "corpus": chosen.corpus,
        "archives": chosen.keys,
        "split": chosen.split,
        "rows": digest(chosen.rows.tolist()),
        "count": len(chosen),
        "left_out": dict(left_out),
        "image_size": size,
        "channels": channels,
        "people": len(np.unique(chosen.subjects)) if not chosen.subjects_unknown else None,
    }
    if classes is not None:
        counts = np.bincount(chosen.labels, minlength=len(classes)).tolist()
        return facts | {"classes": dict(zip(classes, counts, strict=True))}
    positive, known = (chosen.present == 1).sum(axis=0), (chosen.present >= 0).sum(axis=0)
    units = {
        name: {"positive": int(p), "known": int(k)}
        for name, p, k in zip(UNITS, positive, known, strict=True)
    }
    return facts | {"units": units, "relabelled": chosen.relabelled}


def place_of(config: ProbeConfig, run: Path | None, protocol: Mapping[str, Any]) -> Path:
    """The file of a probe: beside the run of its network, or below ``multirun/probe``."""
    folder = Path("multirun", "probe", config.space.name) if run is None else run
    name = f"probe-{protocol['corpus']}-{protocol['task']}-{digest(protocol)[:8]}.json"
    return folder / "evaluations" / name


def title_of(protocol: Mapping[str, Any]) -> str:
    """What was probed, for the heading of a picture."""
    feature = protocol["feature"]
    space = feature.get("layer", feature["feature"])
    return (
        f"{protocol['probe']['classifier']} on {space} ({protocol['values']:,} values), "
        f"{protocol['count']:,} images of {protocol['corpus'].replace('-to-', ' to ')}"
    )


def report(path: Path, content: Mapping[str, Any]) -> Iterator[str]:
    """Counts, numbers, what has to be said of them, and where the files are."""
    protocol = content["protocol"]
    yield title_of(protocol)
    for place in ("fit", "test"):
        if facts := protocol.get(place):
            yield from _counted(place, facts)
    yield ""
    yield table(content["metrics"])
    yield ""
    if "chance" in content:
        yield f"accuracy of always saying the most frequent emotion: {content['chance']:.5g}"
    yield from (_chosen(name, found) for name, found in content["chosen"].items())
    yield from unmeasured(protocol)
    yield from (f"note: {note}" for note in content["notes"])
    for what, file in files_of(path).items():
        if file.is_file():
            yield f"{what}: {file}"


def _counted(place: str, facts: Mapping[str, Any]) -> Iterator[str]:
    people = f" of {facts['people']:,} people" if facts["people"] else ""
    yield (
        f"{place}: {facts['count']:,} images{people}, {facts['split']} of {facts['corpus']}, "
        f"{facts['image_size']} pixels"
    )
    if facts["left_out"]:
        yield f"left out of {place}: {facts['left_out']}"


def _chosen(protocol: str, settings: Mapping[str, Any]) -> str:
    """The setting that a protocol came to."""
    each = settings.get("folds", [settings])
    keys = [key for key in ("C", "kernel_scale", "neighbours") if key in each[0]]
    ranges = []
    for key in keys:
        values = sorted(found[key] for found in each)
        ends = dict.fromkeys(f"{value:.3g}" for value in (values[0], values[-1]))
        ranges.append(f"{key} {' to '.join(ends)}")
    return f"setting, {protocol.replace('_', ', ')}: {', '.join(ranges)}"
