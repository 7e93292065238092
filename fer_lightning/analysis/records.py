"""Reads run folders into records: a configuration, a seed, and what was measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fer_lightning.analysis.evaluations import Evaluation, join_metrics, read_evaluation
from fer_lightning.analysis.files import (
    Source,
    log_rows,
    metrics_of,
    read_json,
    remarks_of,
    required,
    source_of,
)
from fer_lightning.config.plain import flatten
from fer_lightning.config.study import ARM
from fer_lightning.errors import UserError
from fer_lightning.progress import progress_bar
from fer_lightning.runs import ERROR


@dataclass(frozen=True, kw_only=True)
class Record:
    """One run of one seed with everything measured on it, or one probe of features.

    Attributes:
        config: The run's identity by dotted keys, without the seed; ``archives`` names its
            archives by hash. Of a probe its axes.
        axes: What a study varied in it; empty outside of studies.
        seed: The run's seed; None for what is the same for all seeds, as pixels are.
        metrics: Value by name; one that is not finite was measured so.
        images_seen: Length of the training; of a probe, that of the network, 0 without one.
        seconds: Time of the training, or of the probe.
        sources: The files that it was read from, the run first.
        command: The command that made it last; empty where nobody wrote it down.
        probe: Whether it is a probe, whose network may be as long as its arm says.
        remarks: What has to be said of the faces that it was trained on.
    """

    config: Mapping[str, Any]
    axes: Mapping[str, Any] = field(default_factory=dict)
    seed: int | None
    metrics: Mapping[str, float]
    images_seen: int
    seconds: float
    sources: tuple[Source, ...]
    command: str = ""
    probe: bool = False
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Unfinished:
    """Something that should have been measured and was not.

    Attributes:
        what: Run folder, or stage, axes and seed of a study's cell.
        status: ``unfinished``, ``failed`` or ``missing``.
        reason: The error, or what to do.
        path: Run folder, where there is one.
        seed: Its seed, where that is known.
        config: What is known of its configuration, as a record has it.
    """

    what: str
    status: str
    reason: str
    path: Path | None = None
    seed: int | None = None
    config: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Collection:
    """All that was read.

    Attributes:
        records: What is finished.
        unfinished: What is not.
        notes: What a reader of the numbers should know.
        besides: Trainings of a study's stages that are not compared, by stage.
    """

    records: tuple[Record, ...]
    unfinished: tuple[Unfinished, ...] = ()
    notes: tuple[str, ...] = ()
    besides: Mapping[str, Sequence[Record]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A run or probe and its evaluations, before their metrics have got names that fit all."""

    run: Record
    evaluations: tuple[Evaluation, ...] = ()


def read_runs(paths: Sequence[Path], wanted: Iterable[str] = ()) -> Collection:
    """Read run folders with all their evaluations.

    Args:
        paths: Run folders; one that is named twice is read once.
        wanted: Names of metrics; those of the form ``column@epoch`` are read from the log.

    Raises:
        UserError: If a folder is no run, or a file is damaged.
    """
    measured: list[Measured] = []
    unfinished: list[Unfinished] = []
    wanted = list(wanted)
    distinct = {path.expanduser().resolve(): path.expanduser() for path in paths}
    places = list(distinct.values())
    for path in progress_bar(places, desc="Reading runs", unit="run", leave=False, delay=1):
        run = read_run(path, wanted)
        if isinstance(run, Unfinished):
            unfinished.append(run)
            continue
        files = sorted((path / "evaluations").glob("*.json"))
        measured.append(Measured(run=run, evaluations=tuple(map(read_evaluation, files))))
    return collect(measured, unfinished)


def collect(measured: Sequence[Measured], unfinished: Sequence[Unfinished]) -> Collection:
    """Records with metrics of one naming, and the notes that arose."""
    joined, notes = join_metrics(
        [(m.run.metrics, m.run.images_seen, m.evaluations) for m in measured]
    )
    records = tuple(
        replace(
            m.run,
            metrics=metrics,
            sources=(*m.run.sources, *(e.source for e in m.evaluations)),
        )
        for m, metrics in zip(measured, joined, strict=True)
    )
    said = (*notes, *_said(measured))
    return Collection(records=records, unfinished=tuple(unfinished), notes=said)


def _said(measured: Sequence[Measured]) -> Iterator[str]:
    """What the evaluations had to say of their numbers, with the arms that it is said of."""
    arms: dict[str, dict[str, None]] = {}
    for one in measured:
        for note in (note for evaluation in one.evaluations for note in evaluation.notes):
            arms.setdefault(note, {})
            if ARM in one.run.axes:
                arms[note][one.run.axes[ARM]] = None
    for note, named in arms.items():
        yield f"{', '.join(named)}: {note}" if named else note


def read_run(path: Path, wanted: Iterable[str] = ()) -> Record | Unfinished:
    """Read one run folder without its evaluations.

    Raises:
        UserError: If it is no run, or a file is damaged.
    """
    manifest_file = path / "manifest.json"
    if not manifest_file.is_file():
        raise UserError(f"{path} is no run: it has no manifest.json; give folders of `fer train`")
    manifest = read_json(manifest_file)
    if manifest.get("job") != "train" or not isinstance(manifest.get("identity"), dict):
        raise UserError(f"{path} is no run of `fer train`; give run folders")
    identity = dict(manifest["identity"])
    seed = int(required(identity, "seed", manifest_file))
    archives = identity.pop("archives", [])
    del identity["seed"]
    config = dict(flatten(identity))
    config["archives"] = ", ".join(str(key)[:8] for key in archives)
    results_file = path / "results.json"
    if not results_file.is_file():
        error = path / ERROR
        failed = error.read_text(encoding="utf-8").strip() if error.is_file() else None
        return Unfinished(
            what=str(path),
            status="failed" if failed else "unfinished",
            reason=failed or f"go on with: {manifest.get('command', 'its command')}",
            path=path,
            seed=seed,
            config=config,
        )
    results = read_json(results_file)
    return Record(
        config=config,
        seed=seed,
        metrics={
            name: value
            for name, value in metrics_of(results, results_file).items()
            if name != "epoch"  # a clock, and no result
        }
        | epoch_values(path / "metrics.csv", wanted),
        images_seen=int(required(results, "images_seen", results_file)),
        seconds=float(required(results, "seconds", results_file)),
        sources=(source_of(results, path),),
        # The manifest's is of the newest start, which may have asked for a longer training.
        command=str(results.get("command") or manifest.get("command") or ""),
        remarks=remarks_of(results),
    )


def epoch_values(path: Path, wanted: Iterable[str]) -> dict[str, float]:
    """Values of ``column@epoch`` from a ``metrics.csv``; absent where the epoch was not reached.

    Raises:
        UserError: If an epoch is no number, or a cell of the file is none.
    """
    points = [name.rsplit("@", 1) for name in wanted if "@" in name]
    if not points or not path.is_file():
        return {}
    rows = [row for row in log_rows(path) if row.get("epoch")]
    found: dict[str, float] = {}
    for column, epoch in points:
        name = f"{column}@{epoch}"
        try:
            number = float(epoch)
        except ValueError:
            raise UserError(f"metrics: {name}: after @ stands an epoch, as in g_loss@50") from None
        try:
            values = [float(r[column]) for r in rows if float(r["epoch"]) == number and r[column]]
        except KeyError:  # a column that this run did not log
            continue
        except (TypeError, ValueError) as error:
            raise UserError(f"{path} is damaged ({error}): train this run anew") from error
        if values:
            found[name] = values[-1]
    return found
