"""Reads the cells of a CSV or Parquet file as text."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from fer_lightning.errors import UserError

SUFFIXES = (".csv", ".parquet")


def read_header(source: Path) -> list[str]:
    """Names of the columns."""
    if source.suffix.lower() == ".csv":
        return next(_csv_lines(source), [])
    return list(_parquet(source).schema_arrow.names)


def read_records(source: Path, columns: Collection[str]) -> list[dict[str, str]]:
    """The cells of ``columns`` as text, row by row; an empty cell is an empty text."""
    if source.suffix.lower() == ".parquet":
        rows = _parquet(source).read(columns=[*columns]).to_pylist()
        return [{name: _text(value) for name, value in row.items()} for row in rows]
    lines = _csv_lines(source)
    places = [(name, index) for index, name in enumerate(next(lines, [])) if name in columns]
    return [{name: line[index] for name, index in places} for line in lines]


def _csv_lines(source: Path) -> Iterator[list[str]]:
    """Header and rows, without blank lines."""
    width = None
    try:
        with source.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            for cells in filter(None, reader):
                width = width or len(cells)
                if len(cells) != width:
                    raise UserError(
                        f"data.table={source}, line {reader.line_num}: {len(cells)} cells under a "
                        f"header of {width}; put cells that hold a comma in double quotes"
                    )
                yield cells
    except UnicodeDecodeError as error:
        raise UserError(f"data.table={source} is not UTF-8 ({error}); save it as UTF-8") from error
    except csv.Error as error:
        raise UserError(f"data.table={source} is no valid CSV file: {error}") from error


def _parquet(source: Path) -> Any:
    from pyarrow import ArrowInvalid
    from pyarrow.parquet import ParquetFile

    try:
        return ParquetFile(source)
    except ArrowInvalid as error:
        raise UserError(f"data.table={source} is no valid Parquet file: {error}") from error


def _text(value: Any) -> str:
    if value is None or value != value:  # NaN, by which pandas writes that there is none
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
