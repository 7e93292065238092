"""Images in a folder a class: the layout that most people's own faces have."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fer_lightning.config.plain import LATER
from fer_lightning.data.corpora.base import Corpus, SourceRow, images_of
from fer_lightning.data.corpora.layout import contents, files_below, subfolders
from fer_lightning.data.video import VideoConfig
from fer_lightning.errors import UserError
from fer_lightning.labels import canonical_split, check_labels, read_labels


@dataclass(kw_only=True)
class Folder(Corpus):
    """A folder for each class, optionally below ``train/``, ``val/`` and ``test/`` folders.

    Every file in a class folder or below it is a row, hidden ones apart, so that what is no
    image is counted among the excluded. Of a video, each chosen frame is a row, with its number
    and its time. Files outside the class folders are ignored. Where the upper level names splits
    (``train``, ``valid``, ``validation``, ... in any case), these are the corpus's official split.

    Attributes:
        labels: Folder name to canonical emotion, for names that are no English emotion word;
            null skips the folder, split folders included.
        codes: Table of :data:`fer_lightning.labels.CODES` by which folder names are read
            (``raf_db`` for folders ``1`` to ``7``).
        video: Which frames of a video are taken.
    """

    name: str = "folder"
    # Any, because Hydra reads the key of data.labels={8:null} as a number.
    labels: dict[Any, str | None] = field(default_factory=dict)
    codes: str | None = None
    video: VideoConfig = field(default_factory=VideoConfig, metadata=LATER)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_labels(self.labels, self.codes)

    def rows(self) -> list[SourceRow]:
        """Read the class folders; rows are sorted by path."""
        root = self.folder
        found = [
            (split, folder.name, file.relative_to(root).as_posix())
            for split, folder in self._class_folders(root)
            for file in files_below(folder)
        ]
        if not found:
            raise UserError(
                f"data.root={root} holds no class folders with files in them; looked for folders "
                f"such as happiness/ or train/happiness/; found {contents(root)}"
            )
        words = Counter(word for _, word, _ in found)
        names = read_labels(words, self.labels, self.codes, f"class folders of data.root={root}")
        found.sort(key=lambda entry: entry[2])
        return [
            replace(row, emotion=names[word], split=split)
            for split, word, path in found
            for row in images_of(root, path, self.video)
        ]

    def _class_folders(self, root: Path) -> list[tuple[str | None, Path]]:
        """Each class folder with the split that it belongs to, if any."""
        top = self._kept(root)
        splits = {folder: canonical_split(folder.name) for folder in top}
        if not any(splits.values()):
            return [(None, folder) for folder in top]
        others = [folder.name for folder, split in splits.items() if split is None]
        if others:
            raise UserError(
                f"data.root={root} holds split folders and, beside them, {others}; move these "
                f"away or skip them by data.labels.{others[0]}=null"
            )
        return [(split, folder) for part, split in splits.items() for folder in self._kept(part)]

    def _kept(self, folder: Path) -> list[Path]:
        skipped = {str(name) for name, emotion in self.labels.items() if emotion is None}
        return [entry for entry in subfolders(folder) if entry.name not in skipped]
