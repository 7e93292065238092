"""``study.json``: the cells of a study and what became of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from filelock import FileLock, Timeout

from fer_lightning.config.plain import identity, to_plain
from fer_lightning.config.study import Study
from fer_lightning.data.fingerprint import digest
from fer_lightning.errors import UserError, naming
from fer_lightning.runs import SCHEMA, command_line, write_json
from fer_lightning.studies.cells import Cell
from fer_lightning.studies.plan import cells_of

STUDIES = Path("multirun") / "study"
"""Where ``fer study`` writes."""


@dataclass(frozen=True)
class StudyRecord:
    """``study.json``: the cells of a study and what became of them.

    Attributes:
        path: The study's folder.
        study: The study.
        train: Overrides added to every training stage.
        cells: Its cells.
        kept: Cells of earlier starts with other seeds or values, which this one does not run.
    """

    path: Path
    study: Study
    train: list[str]
    cells: list[Cell]
    kept: list[Cell] = field(default_factory=list)

    @staticmethod
    def place(study: Study, train: Sequence[str]) -> Path:
        """The study's folder.

        It is named by the stages and ``train`` alone, so that a study may gain seeds and values.
        """
        key = digest([study.name, identity(study.stages), list(train)])
        return STUDIES / f"{study.name}-{key[:8]}"

    @classmethod
    @contextmanager
    def held(cls, study: Study, train: Sequence[str]) -> Iterator[StudyRecord]:
        """The record, held against other starts of the same study.

        Raises:
            UserError: If another process runs this study, or the file is damaged.
        """
        path = cls.place(study, train)
        with naming(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = FileLock(path.with_name(f".{path.name}.lock"), timeout=0)
            try:
                lock.acquire()
            except Timeout:
                raise UserError(
                    f"{path}: another process runs this study; wait for it, or stop it"
                ) from None
        try:
            yield cls.open(study, train)
        finally:
            lock.release()

    @classmethod
    def open(cls, study: Study, train: Sequence[str]) -> StudyRecord:
        """The record of this study, with what earlier starts of it have done.

        Cells that they had and this start has not are kept.

        Raises:
            UserError: If the file is damaged.
        """
        path = cls.place(study, train)
        cells = cells_of(study, train)
        known = _known(path / "study.json")
        for cell in cells:
            if (earlier := known.pop(cell.key, None)) is not None:
                cell.status, cell.path, cell.error = earlier.status, earlier.path, earlier.error
        return cls(path, study, list(train), cells, list(known.values()))

    def outdate(self, cell: Cell) -> None:
        """Count what was made from an earlier result of ``cell`` as missing."""
        for later in (*self.cells, *self.kept):
            if later.needs(cell):
                later.status, later.path, later.error = "missing", None, None

    def save(self) -> None:
        """Write ``study.json``, whole or not at all."""
        self.path.mkdir(parents=True, exist_ok=True)
        write_json(
            self.path / "study.json",
            {
                "schema": SCHEMA,
                "study": to_plain(self.study),
                "train": self.train,
                "command": command_line(),
                "cells": [{"key": cell.key, **asdict(cell)} for cell in (*self.cells, *self.kept)],
            },
        )


def _known(file: Path) -> dict[str, Cell]:
    """The cells of an earlier ``study.json``, by key."""
    if not file.is_file():
        return {}
    names = [one.name for one in fields(Cell)]
    try:
        cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
        return {cell["key"]: Cell(**{name: cell[name] for name in names}) for cell in cells}
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{file} is damaged ({error!r}): delete it; finished runs are found again"
        ) from error
