"""``fer study``: every cell of a study that is not finished, stage by stage."""

from __future__ import annotations

import logging
import shlex
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from hydra._internal.callbacks import Callbacks
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.types import HydraContext, RunMode
from omegaconf import DictConfig

from fer_lightning.config.launch import task_of
from fer_lightning.config.study import StudyConfig
from fer_lightning.errors import mendable
from fer_lightning.launchers.sweeps import SweepInterrupted
from fer_lightning.loggers.wandb_sync import sync_line
from fer_lightning.runs import JobResult
from fer_lightning.studies.cells import Cell, resolve
from fer_lightning.studies.composing import as_typed, mistake_in
from fer_lightning.studies.lengths import lengths_to_mind
from fer_lightning.studies.record import StudyRecord

INTERRUPTED = 130


def run(config: StudyConfig) -> JobResult:
    """Run what is missing; finished cells are skipped and failed ones tried again.

    Each stage is one sweep over the launcher of this command, started when the stages before it
    have ended.

    Raises:
        UserError: If the study is not one that can be run, or another process runs it.
    """
    if config.dry_run:
        record = StudyRecord.open(config.study, config.train)
        _print_cells(record)
        return JobResult(record.path)
    with StudyRecord.held(config.study, config.train) as record:
        return _run_stages(record)


def _run_stages(record: StudyRecord) -> JobResult:
    record.save()
    logging.getLogger("hydra").setLevel(logging.WARNING)  # we announce the cells
    status = 0
    with _sigterm_stops():
        try:
            for stage in record.study.stages:
                status = status or _run_stage(record, stage)
        except KeyboardInterrupt:
            status = INTERRUPTED
        return _finish(record, status)


@contextmanager
def _sigterm_stops() -> Iterator[None]:
    """Take SIGTERM, a cluster's wish, as Ctrl-C wherever no job has its own way to stop."""
    if threading.current_thread() is not threading.main_thread():
        yield  # Python lets only the main thread handle signals
        return
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def _run_stage(record: StudyRecord, stage: str) -> int:
    """Launch the stage's missing cells; 130 if one of them was stopped."""
    ready: list[tuple[Cell, list[str]]] = []
    for cell in (c for c in record.cells if c.stage == stage and not c.finished):
        overrides = resolve(cell, record.cells)
        if overrides is None:
            cell.status, cell.error = "missing", "what it needs was not made"
            continue
        overrides = as_typed(cell.job, overrides)
        mistake = mistake_in(cell.job, overrides)
        if mistake is not None:
            cell.status, cell.error = "failed", mistake
            print(f"fer: error: {cell.label}: {mistake}", file=sys.stderr)
            continue
        ready.append((cell, overrides))
        record.outdate(cell)
    record.save()
    one_by_one = HydraConfig.get().runtime.choices["hydra/launcher"] == "basic"
    batches = [[entry] for entry in ready] if one_by_one else [ready] * bool(ready)
    for batch in batches:
        if one_by_one:
            _announce(record, batch[0][0])
        interrupted = False
        returned: Sequence[JobReturn | None]
        try:
            returned = _launch(batch[0][0].job, [overrides for _, overrides in batch])
        except SweepInterrupted as sweep:  # some cells may have ended before
            interrupted, returned = True, sweep.returned
        ended = [(c, r) for (c, _), r in zip(batch, returned, strict=True) if r is not None]
        statuses = [_note(c, r) for c, r in ended]
        record.save()
        if interrupted or INTERRUPTED in statuses:
            return INTERRUPTED
    return 0


def _launch(job: str, cells: Sequence[Sequence[str]]) -> Sequence[JobReturn]:
    """One sweep of ``job`` over given cells, by the launcher that this command chose."""
    loader = GlobalHydra.instance().config_loader()
    chosen = [
        override
        for override in HydraConfig.get().overrides.hydra
        if override.lstrip("+~").startswith(("hydra/launcher", "hydra.launcher"))
    ]
    config: DictConfig = loader.load_configuration(
        config_name=job,
        overrides=["hydra.mode=MULTIRUN", "hydra/hydra_logging=none", *chosen],
        run_mode=RunMode.MULTIRUN,
    )
    launcher = Plugins.instance().instantiate_launcher(
        hydra_context=HydraContext(config_loader=loader, callbacks=Callbacks()),
        task_function=task_of(job),
        config=config,
    )
    return launcher.launch([list(overrides) for overrides in cells], initial_job_idx=0)


def _note(cell: Cell, returned: JobReturn) -> int:
    """Write down what became of a cell; returns its exit status."""
    result: Any = returned._return_value  # the property would raise a failed cell's error
    if returned.status is not JobStatus.COMPLETED:
        mistake = mendable(result) if isinstance(result, Exception) else None
        cell.status, cell.error = "failed", str(mistake or repr(result))
        run = None if mistake is None or cell.job != "train" else mistake.run
        cell.path = None if run is None else str(run)
        print(f"fer: error: {cell.label}: {cell.error}", file=sys.stderr)
        if mistake is None and isinstance(result, Exception):
            traceback.print_exception(result)
        return 1
    status = getattr(result, "status", 0)
    if status == 0:
        cell.status, cell.path, cell.error = "done", str(result.path), None
    return int(status)


def _announce(record: StudyRecord, cell: Cell) -> None:
    number = record.cells.index(cell) + 1
    print(f"\n[{number}/{len(record.cells)}] {cell.label}", flush=True)


def _print_cells(record: StudyRecord) -> None:
    for cell in record.cells:
        state = "done" if cell.finished else "to do"
        overrides = resolve(cell, record.cells) or cell.overrides
        command = shlex.join(["fer", cell.job, *overrides])
        print(f"{state:<6} {cell.label}\n       {command}")
    done = sum(cell.finished for cell in record.cells)
    print(f"{len(record.cells)} cells, {done} done, {len(record.cells) - done} to do")


def _finish(record: StudyRecord, status: int) -> JobResult:
    record.save()
    done = sum(cell.finished for cell in record.cells)
    print(f"\n{done} of {len(record.cells)} cells are done")
    if record.kept:
        print(f"{len(record.kept)} cells of earlier starts are no part of this one and are kept")
    for cell in record.cells:
        if not cell.finished:
            status_now = "missing" if cell.status == "done" else cell.status
            reason = cell.error or cell.outdated
            print(f"  {status_now}: {cell.label}" + (f": {reason}" if reason else ""))
    for line in lengths_to_mind([*record.cells, *record.kept]):
        print(f"fer: warning: {line}", file=sys.stderr)
    if upload := sync_line(record.path, record.cells):
        print(f"upload:  {upload}")
    if done == len(record.cells):
        print(f"compare: fer compare study={record.path} out=DIR")
    else:
        print("the same command goes on where it was")
        status = status or 2
    print(f"study:   {record.path}")
    return JobResult(record.path, status=status)
