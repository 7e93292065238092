"""What the cells of a study will read, known before any of them has run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from hydra import compose
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from fer_lightning.config.compose import to_typed
from fer_lightning.config.plain import flatten, to_plain
from fer_lightning.config.study import Study
from fer_lightning.errors import UserError
from fer_lightning.studies.cells import EARLIER, Cell, resolve
from fer_lightning.studies.composing import as_typed, mistake_in
from fer_lightning.studies.plan import cells_of

EXPERIMENT = "experiment:"
"""What tells the name of an experiment, which a job trains first, from a folder."""


class PlannedCell(Cell):
    """A cell as if it were done, so that what names it can be composed.

    Its ``path`` is ``cell:`` and its key, by which others name it.
    """

    @property
    def finished(self) -> bool:
        """So that others are composed."""
        return True


@dataclass(frozen=True)
class Input:
    """A cell and what it will be given.

    Attributes:
        cell: The cell.
        config: Its typed configuration, in which earlier cells stand as ``cell:<key>``.
        place: By which later ones name what it makes.
    """

    cell: Cell
    config: Any
    place: str


def inputs_of(study: Study, train: Sequence[str]) -> Iterator[Input | tuple[Cell, UserError]]:
    """Every cell with its typed configuration, or why it cannot be composed; in their order.

    Experiments that cells have trained first come before the cell that asks for them, once each.

    Args:
        study: The study.
        train: Overrides added to every training stage.
    """
    cells = [_planned(cell) for cell in cells_of(study, train)]
    known: set[str] = set()
    for cell in cells:
        overrides = resolve(cell, cells)
        assert overrides is not None  # all are as if done
        yield from _composed(cell, overrides, str(cell.path), known)


def _planned(cell: Cell) -> PlannedCell:
    values = {f.name: getattr(cell, f.name) for f in fields(cell)}
    return PlannedCell(**{**values, "status": "done", "path": f"{EARLIER}{cell.key}"})


def _composed(
    cell: Cell, overrides: Sequence[str], place: str, known: set[str]
) -> Iterator[Input | tuple[Cell, UserError]]:
    typed = as_typed(cell.job, overrides)
    try:
        config = to_typed(compose(cell.job, typed))
    except UserError as error:
        yield cell, error
        return
    except (HydraException, OmegaConfBaseException, AssertionError):
        mistake = mistake_in(cell.job, typed)
        if mistake is None:
            raise
        yield cell, UserError(mistake)
        return
    for name in experiments_in(config):
        if name not in known:
            known.add(name)
            text = f"experiment={name}"
            first = Cell(text, "train", None, {}, [text])
            yield from _composed(first, [text], f"{EXPERIMENT}{name}", known)
    yield Input(cell, config, place)


def experiments_in(config: Any) -> list[str]:
    """Names of the experiments that a job has trained first."""
    leaves = (leaf for _, value in flatten(to_plain(config)) for leaf in _each(value))
    found = (str(leaf) for leaf in leaves if str(leaf).startswith(EXPERIMENT))
    return list(dict.fromkeys(text.removeprefix(EXPERIMENT) for text in found))


def made_by_the_study(path: Path | None) -> bool:
    """Whether a path is what an earlier cell will have made."""
    return path is not None and str(path).startswith(EARLIER)


def _each(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]
