"""The tables of an archive: a row for every face, and one for every image left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from fer_lightning.data.corpora.base import SourceRow
from fer_lightning.detectors.base import Detection
from fer_lightning.labels import EMOTIONS

_SOURCE = [
    ("path", pa.string()),
    ("frame", pa.int32()),
    ("emotion", pa.string()),
    ("split", pa.string()),
    ("subject", pa.string()),
]
# Of variable length: before pyarrow 26, fixed-size lists with nulls did not survive Parquet.
_FLOATS = pa.list_(pa.float32())


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A source row that gave no face, and why.

    ``missing``, ``unreadable``, ``no_face``, or what its corpus says (``misnamed``, ...).
    """

    row: SourceRow
    reason: str


@dataclass(frozen=True, slots=True)
class Columns:
    """What an archive's tables hold besides the columns that all have.

    Attributes:
        action_units: FACS numbers, a column ``au_<number>`` each.
        votes: A column ``vote_<emotion>`` for each canonical emotion: the raters' shares.
        time: ``time``, seconds from the start of the video.
        source: ``source``, the part of a combined corpus.
    """

    action_units: tuple[int, ...] = ()
    votes: bool = False
    time: bool = False
    source: bool = False

    @classmethod
    def of(cls, rows: Iterable[SourceRow]) -> Columns:
        """Those in which one of ``rows`` has something."""
        units: set[int] = set()
        votes = time = source = False
        for row in rows:
            units.update(row.action_units)
            votes |= row.votes is not None
            time |= row.time is not None
            source |= row.source is not None
        return cls(tuple(sorted(units)), votes, time, source)

    def of_source(self) -> list[tuple[str, pa.DataType]]:
        """Columns that say which image a row is, in both tables."""
        optional = [("time", pa.float64())] * self.time + [("source", pa.string())] * self.source
        return [*_SOURCE, *optional]


def index_schema(columns: Columns) -> pa.Schema:
    """Columns of ``index.parquet``: the labels, then the crop's box, score and landmarks.

    ``emotion`` and ``split`` are canonical names, null where unknown; ``box`` is left, top,
    right, bottom and ``landmarks`` five times x, y, in pixels of the source image.
    """
    return pa.schema(
        [
            *columns.of_source(),
            ("intensity", pa.float32()),
            *((f"au_{unit}", pa.float32()) for unit in columns.action_units),
            *((f"vote_{emotion}", pa.float32()) for emotion in EMOTIONS if columns.votes),
            ("box", _FLOATS),
            ("score", pa.float32()),
            ("landmarks", _FLOATS),
        ]
    )


def index_table(
    rows: Sequence[SourceRow],
    detections: Sequence[Detection | None],
    columns: Columns = Columns(),
) -> pa.Table:
    """Rows and what was cropped from each (None: not detected but made) as a table."""
    records = []
    for row, found in zip(rows, detections, strict=True):
        record = _source_record(row, columns) | {"intensity": row.intensity}
        record |= {f"au_{unit}": row.action_units.get(unit) for unit in columns.action_units}
        if columns.votes and row.votes is not None:
            record |= {f"vote_{emotion}": row.votes.get(emotion, 0.0) for emotion in EMOTIONS}
        record["box"] = None if found is None else found.box.tolist()
        record["score"] = None if found is None else found.score
        points = None if found is None else found.landmarks
        record["landmarks"] = None if points is None else points.ravel().tolist()
        records.append(record)
    return pa.Table.from_pylist(records, schema=index_schema(columns))


def excluded_table(
    exclusions: Sequence[Exclusion],
    columns: Columns = Columns(),
) -> pa.Table:
    """Excluded rows with their reasons as a table."""
    records = [_source_record(e.row, columns) | {"reason": e.reason} for e in exclusions]
    schema = pa.schema([*columns.of_source(), ("reason", pa.string())])
    return pa.Table.from_pylist(records, schema=schema)


def _source_record(row: SourceRow, columns: Columns) -> dict[str, object]:
    return {name: getattr(row, name) for name, _ in columns.of_source()}
