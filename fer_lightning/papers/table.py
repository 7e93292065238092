"""A table as a paper prints it: values, units, and what is known to be wrong with them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from fer_lightning.errors import UserError

Cell = tuple[str, str]
"""A row's name and a column's name."""


@dataclass(frozen=True, kw_only=True)
class PaperNumber:
    """One printed number.

    Attributes:
        value: As printed.
        unit: What it counts; ``"1"`` for a pure number.
        source: Paper and place, such as ``"paper D, Table II"``.
        error: What is known to be wrong with this number and what to use; None if nothing is.
    """

    value: float
    unit: str
    source: str
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class PaperTable:
    """A table as a paper prints it.

    Attributes:
        paper: Letter of the paper, ``"A"`` to ``"E"``.
        name: Its short and stable name, such as ``"II"``; used in references.
        title: What it shows, in our own words.
        unit: Unit of its values; ``"1"`` for pure numbers.
        source: Where it is printed.
        rows: Names of the rows, in order.
        columns: Names of the columns, in order.
        values: Value by row and column, as printed; a cell that is not printed is absent.
        column_units: Unit of a column where it is not ``unit``.
        legend: What short names of rows and columns stand for.
        notes: What is no error: numbers worked out from the printed ones, marked as recomputed,
            and how to read the table.
        errors: Known errors of the whole table, each with its resolution.
        cell_errors: Known error of a cell, with its resolution.
    """

    paper: str
    name: str
    title: str
    unit: str
    source: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: Mapping[Cell, float]
    column_units: Mapping[str, str] = field(default_factory=dict)
    legend: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    cell_errors: Mapping[Cell, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the names against each other and freeze the mappings."""
        names = (self.paper, self.name, *self.rows, *self.columns)
        if any("/" in name or not name for name in names):
            raise ValueError(f"{self.key}: a name is empty or has a slash")
        if any(len(set(axis)) < len(axis) for axis in (self.rows, self.columns)):
            raise ValueError(f"{self.key}: two rows or two columns have one name")
        known = {(row, column) for row in self.rows for column in self.columns}
        stray = {
            *(set(self.values) - known),
            *(set(self.cell_errors) - set(self.values)),
            *(set(self.column_units) - set(self.columns)),
            *(set(self.legend) - {*self.rows, *self.columns}),
        }
        if stray:
            raise ValueError(f"{self.key}: {stray} stand for nothing in the table")
        for name in ("values", "column_units", "legend", "cell_errors"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    @classmethod
    def of(
        cls,
        *,
        columns: Sequence[str],
        rows: Mapping[str, Sequence[float | None]],
        **attributes: Any,
    ) -> PaperTable:
        """A table written row by row.

        Args:
            columns: Names of the columns.
            rows: Row to its values, one for each column; None where nothing is printed.
            attributes: All other attributes, by name.

        Raises:
            ValueError: If a row has too few or too many values, or names do not fit.
        """
        values = {
            (row, column): float(value)
            for row, numbers in rows.items()
            for column, value in zip(columns, numbers, strict=True)
            if value is not None
        }
        return cls(rows=tuple(rows), columns=tuple(columns), values=values, **attributes)

    @property
    def key(self) -> str:
        """Paper and name, such as ``"A/II"``."""
        return f"{self.paper}/{self.name}"

    def unit_of(self, column: str) -> str:
        """The unit of a column."""
        return self.column_units.get(column, self.unit)

    def cell(self, row: str, column: str) -> PaperNumber:
        """One printed number.

        Raises:
            UserError: If there is no such row or column, or the paper prints nothing there.
        """
        if row not in self.rows:
            raise UserError(f"{self.key}: there is no row {row!r}; {suggest(row, self.rows)}")
        if column not in self.columns:
            hint = suggest(column, self.columns)
            raise UserError(f"{self.key}: there is no column {column!r}; {hint}")
        if (row, column) not in self.values:
            printed = [name for name in self.columns if (row, name) in self.values]
            raise UserError(
                f"{self.key}/{row}/{column}: the paper prints no number there; "
                f"this row has {printed}"
            )
        return PaperNumber(
            value=self.values[row, column],
            unit=self.unit_of(column),
            source=f"paper {self.paper}, {self.source}",
            error=self.cell_errors.get((row, column)),
        )

    def to_markdown(self) -> str:
        """The table in Markdown, with a lettered footnote for each known error of a cell."""
        texts = tuple(dict.fromkeys(self.cell_errors.values()))
        marks = {text: chr(ord("a") + i) for i, text in enumerate(texts)}
        lines = [
            f"**Paper {self.paper}, {self.source}.** {self.title}",
            "",
            _line(("", *map(self._heading, self.columns))),
            "|---" + "|--:" * len(self.columns) + "|",
        ]
        lines += [
            _line((row, *(self._shown(row, column, marks) for column in self.columns)))
            for row in self.rows
        ]
        remarks = [f"- {name}: {meaning}" for name, meaning in self.legend.items()]
        remarks += [f"- Note: {note}" for note in self.notes]
        remarks += [f"- Error: {error}" for error in self.errors]
        remarks += [f"- [{mark}] {text}" for text, mark in marks.items()]
        return "\n".join([*lines, *([""] if remarks else []), *remarks, ""])

    def _heading(self, column: str) -> str:
        unit = self.unit_of(column)
        return column if unit in ("1", column) else f"{column} ({unit})"

    def _shown(self, row: str, column: str, marks: Mapping[str, str]) -> str:
        if (row, column) not in self.values:
            return ""
        error = self.cell_errors.get((row, column))
        return f"{self.values[row, column]:.10g}" + (f" [{marks[error]}]" if error else "")


def suggest(name: str, choices: Iterable[str]) -> str:
    """The half-sentence that leads from an unknown name to the known ones."""
    known = {choice.casefold(): choice for choice in choices}
    near = [known[match] for match in difflib.get_close_matches(name.casefold(), known, n=3)]
    if near:
        return f"did you mean {' or '.join(map(repr, near))}?"
    return f"choose from {list(known.values())}"


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"
