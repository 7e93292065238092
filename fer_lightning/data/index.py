"""The tables of an archive: a row for every face, and one for every image left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from fer_lightning.data.corpora.base import SourceRow
from fer_lightning.detectors.base import Detection

_SOURCE = [
    ("path", pa.string()),
    ("frame", pa.int32()),
    ("emotion", pa.string()),
    ("split", pa.string()),
    ("subject", pa.string()),
]


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A source row that gave no face, and why: ``missing``, ``unreadable`` or ``no_face``."""

    row: SourceRow
    reason: str


# Of variable length: before pyarrow 26, fixed-size lists with nulls did not survive Parquet.
_FLOATS = pa.list_(pa.float32())


def index_schema(action_units: Sequence[int]) -> pa.Schema:
    """Columns of ``index.parquet``: the labels, then the crop's box, score and landmarks.

    ``emotion`` and ``split`` are canonical names, null where unknown; ``box`` is left, top,
    right, bottom and ``landmarks`` five times x, y, in pixels of the source image.
    """
    return pa.schema(
        [
            *_SOURCE,
            ("intensity", pa.float32()),
            *((f"au_{unit}", pa.float32()) for unit in action_units),
            ("box", _FLOATS),
            ("score", pa.float32()),
            ("landmarks", _FLOATS),
        ]
    )


EXCLUDED_SCHEMA = pa.schema([*_SOURCE, ("reason", pa.string())])


def index_table(
    rows: Sequence[SourceRow], detections: Sequence[Detection | None], action_units: Sequence[int]
) -> pa.Table:
    """Rows and what was cropped from each (None: not detected but made) as a table."""
    records = []
    for row, found in zip(rows, detections, strict=True):
        record = _source_record(row) | {"intensity": row.intensity}
        record |= {f"au_{unit}": row.action_units.get(unit) for unit in action_units}
        record["box"] = None if found is None else found.box.tolist()
        record["score"] = None if found is None else found.score
        points = None if found is None else found.landmarks
        record["landmarks"] = None if points is None else points.ravel().tolist()
        records.append(record)
    return pa.Table.from_pylist(records, schema=index_schema(action_units))


def excluded_table(exclusions: Sequence[Exclusion]) -> pa.Table:
    """Excluded rows with their reasons as a table."""
    records = [_source_record(e.row) | {"reason": e.reason} for e in exclusions]
    return pa.Table.from_pylist(records, schema=EXCLUDED_SCHEMA)


def _source_record(row: SourceRow) -> dict[str, object]:
    return {name: getattr(row, name) for name, _ in _SOURCE}
