"""What a model says of every image, as a table that other programs read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.files import whole


def write_predictions(
    path: Path,
    faces: FaceDataModule,
    rows: NDArray[np.int64],
    labels: NDArray[np.int64],
    probabilities: NDArray[np.float64],
    classes: Sequence[str],
) -> None:
    """Write a Parquet file with one row an image, whole or not at all.

    Columns: ``archive`` (its key), ``row`` (in that archive), ``path``, ``frame`` and ``subject``
    as the corpus names them, ``emotion`` (the true one), ``predicted`` (that of the largest
    probability), and the probabilities as ``p_<class>``, float32.

    Args:
        path: Of the file; what stands there is replaced.
        faces: The measured faces, set up.
        rows: Numbers over the faces' archives one after the other, (N,).
        labels: True classes, (N,), in [0, K).
        probabilities: Shape (N, K).
        classes: The K names, in the model's order.
    """
    table = source_columns(faces, rows)
    names = np.asarray(classes, dtype=object)
    table = table.append_column("emotion", pa.array(names[labels], pa.string()))
    predicted = names[probabilities.argmax(axis=1)]
    table = table.append_column("predicted", pa.array(predicted, pa.string()))
    for number, name in enumerate(classes):
        column = pa.array(probabilities[:, number].astype(np.float32))
        table = table.append_column(f"p_{name}", column)
    write_table(path, table)


def write_table(path: Path, table: pa.Table) -> None:
    """Write a Parquet file whole or not at all; what stands there is replaced."""
    # Through an open file: pyarrow takes a relative path such as ``a:b`` for an address.
    with whole(path) as unfinished, unfinished.open("wb") as file:
        pq.write_table(table, file)


def source_columns(faces: FaceDataModule, rows: NDArray[np.int64]) -> pa.Table:
    """Where each image comes from: ``archive``, ``row``, ``path``, ``frame`` and ``subject``.

    Args:
        faces: The data, set up.
        rows: Numbers over its archives one after the other, (N,).
    """
    owners, places = faces.places(rows)
    keys = np.array([archive.key for archive in faces.archives], dtype=object)
    known = ["path", "frame", "subject"]
    table = pa.concat_tables([archive.table(known) for archive in faces.archives]).take(rows)
    table = table.add_column(0, "archive", pa.array(keys[owners], pa.string()))
    return table.add_column(1, "row", pa.array(places, pa.int64()))
