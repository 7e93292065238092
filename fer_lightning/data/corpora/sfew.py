"""SFEW 2.0: film frames in class folders, with the split of its challenge."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from fer_lightning.data.corpora.base import Corpus, Facts, SourceRow
from fer_lightning.data.corpora.layout import contents, files_below, locate, subfolders
from fer_lightning.errors import UserError
from fer_lightning.labels import canonical_emotion, canonical_split

SUFFIXES = (".png", ".jpg", ".jpeg")


@dataclass(kw_only=True)
class SFEW(Corpus):
    """SFEW 2.0: 958 train and 436 val images in class folders, 372 test images without labels.

    Under ``data.root``, or up to two folders below, lie the folders ``Train``, ``Val`` and
    ``Test``, or those with faces cut out, ``Train_Aligned_Faces``, ``Val_Aligned_Faces_new`` and
    ``Test_Aligned_Faces``; what stands before the first ``_`` names the split. Below each, at any
    depth, for the wrappers vary and are not confirmed, lie ``Angry``, ``Disgust``, ``Fear``,
    ``Happy``, ``Neutral``, ``Sad`` and ``Surprise`` with files
    ``<movie>_<time>_<frame>.png``. Files that are no images by their suffix are ignored.

    Images of ``Test`` that lie in no class folder have no label, for the organisers keep these;
    such images of the other splits are excluded as ``no_label``. A split that is there twice, as
    whole frames and as aligned faces, is refused: give a folder that holds one of them. People
    are unknown: one film, and one actor, occurs in many images. SFEW 1.0 has another layout and
    is not read.
    """

    facts: ClassVar[Facts | None] = Facts(
        title="SFEW 2.0",
        images="1,766 (958 train, 436 val, 372 test without labels)",
        emotions="7",
        terms="on request with a signed agreement; ask its authors",
        source="https://users.cecs.anu.edu.au/~few_group/AFEW.html",
    )

    name: str = "sfew"

    def rows(self) -> list[SourceRow]:
        """Read the folders; rows are sorted by path."""
        starts = ("Train", "train", "TRAIN", "Val", "val", "VAL")
        wanted = [f"{start}*/{deeper}Angry" for start in starts for deeper in ("", "*/")]
        place = locate(self.folder, wanted, "SFEW 2.0")
        rows: list[SourceRow] = []
        origins: dict[tuple[str, str | None], Path] = {}
        for folder in subfolders(place):
            split = canonical_split(folder.name.partition("_")[0])
            if split is None:
                continue
            for file in files_below(folder):
                if file.suffix.lower() not in SUFFIXES:
                    continue
                emotion, origin = _class_of(file, folder)
                if origins.setdefault((split, emotion), origin) != origin:
                    raise UserError(
                        f"data.root={self.root} holds images of SFEW more than once (in "
                        f"{origins[split, emotion]} and {origin}); move one away, or give a "
                        "folder that holds them once"
                    )
                known = emotion is not None or split == "test"
                path = file.relative_to(self.folder).as_posix()
                unusable = None if known else "no_label"
                rows.append(SourceRow(path=path, emotion=emotion, split=split, unusable=unusable))
        if not any(row.emotion for row in rows):
            raise UserError(
                f"data.root={self.root}: SFEW's class folders are empty; looked in {place} for "
                f"images in Train/Angry and the like; found {contents(place)}"
            )
        return sorted(rows, key=lambda row: row.path)


def _class_of(file: Path, split: Path) -> tuple[str | None, Path]:
    """The emotion of an image and its class folder, or None and the split's folder."""
    folder = file.parent
    while folder != split:
        emotion = canonical_emotion(folder.name)
        if emotion is not None:
            return emotion, folder
        folder = folder.parent
    return None, split
