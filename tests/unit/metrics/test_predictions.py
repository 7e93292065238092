"""The table of predictions says of every image which one it is and what was answered."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from fer_lightning.data.corpora.folder import Folder
from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.detectors.whole_image import WholeImageConfig
from fer_lightning.metrics import predictions
from fer_lightning.metrics.predictions import write_predictions
from tests.helpers.small import small_archive

CLASSES = ["sadness", "happiness", "anger"]


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> FaceDataModule:
    """60 images, and 12 more for training from another archive."""
    folder = tmp_path_factory.mktemp("faces")
    small_archive(folder / "main")
    small_archive(folder / "extra", count=12, seed=1, splits=("train",))
    data = Folder(archive=folder / "main", extra=[folder / "extra"], batch_size=8)
    faces = FaceDataModule(data, WholeImageConfig(), 16, 1, seed=0)
    faces.setup()
    return faces


def write(path: Path, faces: FaceDataModule, rows: list[int]) -> list[dict[str, Any]]:
    """What a model that is sure of the true class, or of anger for row 3, has written."""
    labels = np.array([CLASSES.index(str(faces.emotions[row])) for row in rows])
    said = np.where(np.array(rows) == 3, 2, labels)
    probabilities = np.full((len(rows), 3), 0.1)
    probabilities[np.arange(len(rows)), said] = 0.8
    write_predictions(path, faces, np.array(rows), labels, probabilities, CLASSES)
    with path.open("rb") as file:
        table = pq.ParquetFile(file).read()
    assert [str(table.schema.field(f"p_{name}").type) for name in CLASSES] == ["float"] * 3
    records: list[dict[str, Any]] = table.to_pylist()
    return records


def test_every_row_names_its_image(tmp_path: Path, faces: FaceDataModule) -> None:
    found = write(tmp_path / "p.parquet", faces, [59, 3, 60, 71])
    names = ("archive", "row", "path", "frame", "subject", "emotion")
    main, extra = (archive.key for archive in faces.archives)
    assert main != extra
    assert [tuple(record[name] for name in names) for record in found] == [
        (main, 59, "59.png", 0, "S9", "anger"),
        (main, 3, "3.png", 0, "S3", "happiness"),
        (extra, 0, "0.png", 0, "S0", "happiness"),
        (extra, 11, "11.png", 0, "S1", "anger"),
    ]


def test_answers_stand_under_the_names_of_the_model(tmp_path: Path, faces: FaceDataModule) -> None:
    wrong, right = write(tmp_path / "p.parquet", faces, [3, 4])
    assert (wrong["emotion"], wrong["predicted"]) == ("happiness", "anger")
    assert (right["emotion"], right["predicted"]) == ("sadness", "sadness")
    shares = [right[f"p_{name}"] for name in CLASSES]
    assert shares == pytest.approx([0.8, 0.1, 0.1])
    assert list(wrong)[-3:] == [f"p_{name}" for name in CLASSES]


def test_a_full_disk_leaves_the_older_file(
    tmp_path: Path, faces: FaceDataModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "p.parquet"
    write(path, faces, [1])
    before = path.read_bytes()

    def full(table: object, file: Any) -> None:
        file.write(b"PAR1")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(predictions.pq, "write_table", full)
    with pytest.raises(OSError, match="No space") as error:
        write(path, faces, [1, 2])
    assert error.value.filename == str(path)
    assert path.read_bytes() == before
