"""Records of what a study made: one of each cell that is finished."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from fer_lightning.analysis.evaluations import PER_RUN, Evaluation, read_evaluation
from fer_lightning.analysis.records import (
    Collection,
    Measured,
    Record,
    Unfinished,
    collect,
    read_run,
)
from fer_lightning.analysis.study_folders import StudyFolder
from fer_lightning.config.study import ARM
from fer_lightning.progress import progress_bar
from fer_lightning.studies.cells import MEASURING, named_in, outdated

ARCHIVES = "archives"
"""Key of the archives that a run has trained on."""
FEATURES = ("feature", "values")
"""Parts of a probe's protocol that tell its features, and how many values they have."""


def study_records(folder: StudyFolder, wanted: Iterable[str] = ()) -> Collection:
    """A record of every finished training to compare, joined with the evaluations of its cell.

    Where an evaluating stage has axes of its own there is a record for each of their values. The
    archives that a study makes differ by seed, so they are no part of what its runs are. Where
    the study compares a probe stage, there is a record of each of its cells instead, joined with
    what other stages have measured of the same arm, axes and seed.

    Raises:
        UserError: If a file is damaged or a folder is no run.
    """
    wanted = list(wanted)
    unfinished = [_unfinished(c, folder) for c in folder.cells if _located(c, folder) is None]
    done = [(c, p) for c in folder.cells if (p := _located(c, folder)) is not None]
    trained = [(c, p) for c, p in done if c["job"] == "train"]
    files = [(c, p) for c, p in done if c["job"] in MEASURING]
    bar = progress_bar(files, desc="Reading evaluations", unit="file", leave=False, delay=1)
    evaluated = [(c, p, read_evaluation(p)) for c, p in bar]
    stages = dict.fromkeys(c["stage"] for c, _ in trained)
    compared = folder.study.compare
    measured: list[Measured] = []
    besides: dict[str, list[Record]] = {}
    for cell, path in progress_bar(trained, desc="Reading runs", unit="run", leave=False, delay=1):
        run = read_run(path, wanted)
        if isinstance(run, Unfinished):
            config = {**run.config, **cell["axes"]}
            unfinished.append(replace(run, what=_describe(cell), config=config))
            continue
        if compared not in (None, cell["stage"]):
            besides.setdefault(cell["stage"], []).append(run)
            continue
        if named_in(cell["overrides"]):
            run = replace(run, config={k: v for k, v in run.config.items() if k != ARCHIVES})
        several = compared is None and len(stages) > 1
        axes = dict(cell["axes"]) | ({"stage": cell["stage"]} if several else {})
        own = [
            (e, evaluation)
            for e, place, evaluation in evaluated
            if _belongs(e, place, cell, path, [p for _, p in trained])
        ]
        measured += _by_further_axes(run, axes, own)
    if compared is not None and folder.study.stages[compared].job == "probe":
        measured, late = _probes(compared, evaluated)
        unfinished += late
    read = collect(measured, unfinished)
    otherwise = _measured_otherwise(measured, folder.study.baseline.get(ARM))
    return replace(read, besides=besides, notes=(*otherwise, *read.notes))


def _measured_otherwise(measured: Sequence[Measured], baseline: str | None) -> Iterator[str]:
    """Arms whose evaluations are not as the baseline's are, such as on other faces."""
    found: dict[str, dict[str, set[Any]]] = {}
    for one in measured:
        if ARM not in one.run.axes:
            continue
        values = found.setdefault(one.run.axes[ARM], {})
        for key, value in (item for e in one.evaluations for item in e.protocol.items()):
            if key.partition(".")[0] not in PER_RUN:
                values.setdefault(key, set()).add(value)
    usual = found.get(baseline or "", {})
    for arm, values in found.items():
        differing = [key for key in (usual | values) if usual.get(key) != values.get(key)]
        if usual and values and differing:
            names = ", ".join(dict.fromkeys(key.partition(".")[0] for key in differing))
            yield (
                f"{arm} was not measured as {baseline} was ({names} of their protocols differ): "
                "what differs between them is not of the training alone."
            )


def _probes(
    stage: str, evaluated: Sequence[tuple[Mapping[str, Any], Path, Evaluation]]
) -> tuple[list[Measured], list[Unfinished]]:
    """The stage's probes as rows, and those whose network was trained further since."""
    measured: list[Measured] = []
    late: list[Unfinished] = []
    for cell, path, probe in (entry for entry in evaluated if entry[0]["stage"] == stage):
        if (reason := outdated(path)) is not None:
            late.append(_missing(cell, "missing", reason))
            continue
        row = Record(
            config={},
            seed=cell["seed"],
            metrics={},  # the file is joined as those of other stages are
            images_seen=probe.images_seen,
            seconds=probe.source.seconds,
            sources=(),
            command=probe.command,
            probe=True,
            remarks=probe.remarks,
        )
        own = [(cell, _of_any_features(probe))] + [
            (c, _of_any_features(e))
            for c, place, e in evaluated
            if c["stage"] != stage
            and c["seed"] == cell["seed"]
            and cell["axes"].items() <= c["axes"].items()
            and outdated(place) is None
        ]
        measured += _by_further_axes(row, cell["axes"], own)
    return measured, late


def _of_any_features(probe: Evaluation) -> Evaluation:
    """A probe without what tells its features: that is the arm, and no difference of protocols."""
    protocol = {k: v for k, v in probe.protocol.items() if k.partition(".")[0] not in FEATURES}
    return replace(probe, protocol=protocol)


def _by_further_axes(
    run: Record, axes: Mapping[str, Any], own: Sequence[tuple[Mapping[str, Any], Evaluation]]
) -> list[Measured]:
    """The run once for each value of the axes that only its evaluations have."""
    further: list[dict[str, Any]] = []
    for cell, _ in own:
        extra = {key: value for key, value in cell["axes"].items() if key not in axes}
        if extra and extra not in further:
            further.append(extra)
    measured: list[Measured] = []
    for extra in further or [{}]:
        everything = {**axes, **extra}
        measured.append(
            Measured(
                run=replace(run, config={**run.config, **everything}, axes=everything),
                evaluations=tuple(
                    evaluation
                    for cell, evaluation in own
                    if cell["axes"].items() <= everything.items()
                ),
            )
        )
    return measured


def _belongs(
    evaluated: Mapping[str, Any],
    file: Path,
    trained: Mapping[str, Any],
    run: Path,
    runs: Sequence[Path],
) -> bool:
    """Whether an evaluation is this training's: by folder if it lies in a run, or by axes."""
    if evaluated["seed"] != trained["seed"]:
        return False
    common = evaluated["axes"].keys() & trained["axes"].keys()
    if any(evaluated["axes"][key] != trained["axes"][key] for key in common):
        return False
    if any(r.resolve() in file.resolve().parents for r in runs):
        return run.resolve() in file.resolve().parents
    return True


def _located(cell: Mapping[str, Any], folder: StudyFolder) -> Path | None:
    """What a finished cell made; None if it is not there."""
    return _place(cell, folder) if cell["status"] == "done" else None


def _place(cell: Mapping[str, Any], folder: StudyFolder) -> Path | None:
    """The path of a cell, also if the study is read from elsewhere; None if nothing is there.

    Paths are relative to the folder in which the study ran, which holds ``multirun/study/NAME``.
    """
    if not cell.get("path"):
        return None
    home = folder.path.resolve().parents[2:3]
    here = Path(cell["path"])
    places = [here] if Path.cwd() in home else [*(above / here for above in home), here]
    return next((place for place in places if place.exists()), None)


def _unfinished(cell: Mapping[str, Any], folder: StudyFolder) -> Unfinished:
    status = str(cell["status"])
    reason = str(cell.get("error") or f"run `{folder.command or 'fer study'}` again")
    if status == "done":
        status, reason = "missing", f"{cell.get('path')} is not there any more"
    told = _missing(cell, status, reason)
    place = _place(cell, folder) if status == "failed" else None
    if place is None or not (place / "manifest.json").is_file():
        return told
    config = {**read_run(place).config, **cell["axes"]}
    return replace(told, path=place, config=config)


def _missing(cell: Mapping[str, Any], status: str, reason: str) -> Unfinished:
    return Unfinished(
        what=_describe(cell),
        status=status,
        reason=reason,
        seed=cell["seed"],
        config=dict(cell["axes"]),
    )


def _describe(cell: Mapping[str, Any]) -> str:
    axes = [f"{key}={value}" for key, value in cell["axes"].items()]
    seed = [] if cell["seed"] is None else [f"seed={cell['seed']}"]
    return " ".join([f"{cell['stage']}:", *axes, *seed])
