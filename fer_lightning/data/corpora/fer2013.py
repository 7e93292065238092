"""FER-2013: 35,887 gray faces of 48 x 48 pixels, as a CSV file or as Kaggle's folders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from fer_lightning.data.corpora.base import Corpus, Facts, SourceRow
from fer_lightning.data.corpora.layout import contents, files_below, locate, subfolders
from fer_lightning.data.images import UnusableImage
from fer_lightning.errors import UserError
from fer_lightning.labels import CODES, canonical_emotion, canonical_split

SIDE = 48
CSV_NAMES = ("fer2013.csv", "icml_face_data.csv")
WANTED = [f"{folder}{name}" for folder in ("", "fer2013/") for name in (*CSV_NAMES, "train")]


@dataclass(kw_only=True)
class FER2013(Corpus):
    """FER-2013 with its official split: Training, PublicTest (val) and PrivateTest (test).

    Under ``data.root``, or in a folder ``fer2013/`` inside it if there is nothing there, or in the
    one folder inside it that holds such, lies one of: ``fer2013.csv``; ``icml_face_data.csv``, the
    same with other columns' order; or the folders ``train/<class>/`` and ``test/<class>/``, where
    file names begin with the split (``PublicTest_1.jpg``). A name that does not begin so belongs
    to the split of its folder: copies of the folders that lost these names have no ``val`` and a
    ``test`` of 7,178 images.
    """

    facts: ClassVar[Facts | None] = Facts(
        title="FER-2013 (Goodfellow et al. 2013)",
        images="35,887",
        emotions="7",
        terms="research; collected by image search for a challenge at ICML 2013, no licence stated",
        source="https://www.kaggle.com/c/challenges-in-representation-learning-facial-expression-"
        "recognition-challenge",
    )
    crops: ClassVar[bool] = True

    name: str = "fer2013"

    @property
    def native_channels(self) -> int:
        """The dataset is gray."""
        return 1

    def rows(self) -> list[SourceRow]:
        """Read the CSV in its order (``frame`` counts its rows from 0) or the folders by path."""
        source = self._source()
        path = source.relative_to(self.folder).as_posix()
        return list(_csv_rows(source, path) if source.is_file() else self._folder_rows(source))

    def load(self, row: SourceRow) -> NDArray[np.uint8]:
        """Decode one face to RGB of shape (48, 48, 3); see :meth:`Corpus.load`."""
        if not row.path.endswith(CSV_NAMES):
            return super().load(row)
        try:
            column, starts = _pixel_lines(self.folder / row.path)
            with (self.folder / row.path).open("rb") as file:
                file.seek(starts[row.frame])
                pixels = _cells(file.readline())[column]
            gray = np.frombuffer(bytes(map(int, pixels.split())), np.uint8).reshape(SIDE, SIDE)
        except FileNotFoundError:
            raise UnusableImage("missing") from None
        except (ValueError, IndexError):
            raise UnusableImage("unreadable") from None
        return np.repeat(gray[:, :, None], 3, axis=2)

    def _source(self) -> Path:
        """The CSV file, or the folder that holds ``train/`` and ``test/``."""
        start = locate(self.folder, WANTED, "FER-2013", depth=1)
        for place in (start, start / "fer2013"):
            found = [place / name for name in CSV_NAMES if (place / name).is_file()]
            if (place / "train").is_dir() and (place / "test").is_dir():
                found.append(place)
            if len(found) > 1:
                held = [f.name if f.is_file() else "train/ and test/" for f in found]
                raise UserError(
                    f"data.root={self.root}: {place} holds FER-2013 more than once ({held}); "
                    "give a folder that holds it once"
                )
            if found:
                return found[0]
        raise UserError(
            f"data.root={self.root}: {start} holds no {' or '.join(CSV_NAMES)}, and no train/ "
            f"with test/ beside it; found {contents(start)}"
        )

    def _folder_rows(self, source: Path) -> Iterator[SourceRow]:
        for part in ("test", "train"):
            for folder in subfolders(source / part):
                emotion = canonical_emotion(folder.name)
                if emotion is None:
                    raise UserError(
                        f"data.root={self.root}: {folder} is no emotion of FER-2013; remove it, "
                        "or use data=folder for a dataset of your own"
                    )
                for file in files_below(folder):
                    split = canonical_split(file.name.partition("_")[0]) or part
                    path = file.relative_to(self.folder).as_posix()
                    yield SourceRow(path=path, emotion=emotion, split=split)


def _csv_rows(source: Path, path: str) -> Iterator[SourceRow]:
    emotions = {str(code): name for code, name in CODES["fer2013"].items()}
    with source.open("rb") as file:
        header = _header(source, file.readline())
        code_column, usage_column = header.index("emotion"), header.index("Usage")
        for frame, line in enumerate(file):
            if not line.strip():
                continue
            cells = _cells(line)
            where = f"data.root: {source}, line {frame + 2}"
            if len(cells) != len(header):
                raise UserError(
                    f"{where} has {len(cells)} cells instead of {len(header)}; the file is "
                    "damaged, fetch it again"
                )
            code, usage = cells[code_column], cells[usage_column]
            if code not in emotions:
                raise UserError(f"{where}: emotion {code!r} is no code of FER-2013 (0 to 6)")
            split = canonical_split(usage)
            if split is None:
                raise UserError(
                    f"{where}: Usage {usage!r} is none of Training, PublicTest, PrivateTest"
                )
            yield SourceRow(path=path, frame=frame, emotion=emotions[code], split=split)


@lru_cache(maxsize=1)
def _pixel_lines(source: Path) -> tuple[int, NDArray[np.int64]]:
    """Number of the pixels' column, and the offset of each line after the header.

    The file has 300 MB: a process reads it once for the offsets, then one line an image.
    """
    with source.open("rb") as file:
        lengths = [len(line) for line in file]
        file.seek(0)
        column = _header(source, file.readline()).index("pixels")
    return column, np.cumsum(lengths)[:-1]


def _header(source: Path, line: bytes) -> list[str]:
    header = _cells(line)
    if not {"emotion", "pixels", "Usage"} <= set(header):
        raise UserError(
            f"data.root: {source} needs the columns emotion, pixels and Usage; found {header}"
        )
    return header


def _cells(line: bytes) -> list[str]:
    # icml_face_data.csv has a space after each comma of its header; some copies quote the pixels.
    text = line.decode("utf-8-sig", errors="replace")
    return [cell.strip().strip('"') for cell in text.split(",")]
