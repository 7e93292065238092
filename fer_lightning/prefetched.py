"""What ``fer prefetch`` has laid ready for nodes without a network, and how jobs find it there.

Where ``FER_PREFETCHED`` names such a folder, jobs take archives and weights from it, whatever
became of their sources, and reach for no network.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from fer_lightning.config.plain import identity, to_plain
from fer_lightning.data.corpora.base import Corpus
from fer_lightning.data.fingerprint import digest
from fer_lightning.errors import UserError, naming
from fer_lightning.runs import write_json

if TYPE_CHECKING:
    from fer_lightning.data.preparation import Recipe

VARIABLE = "FER_PREFETCHED"
"""Environment variable with the folder."""
INDEX = "prefetched.json"


def folder() -> Path | None:
    """The folder to take things from, where no network is to be reached; else None.

    Raises:
        UserError: If the variable names something else.
    """
    given = os.environ.get(VARIABLE)
    if not given:
        return None
    path = Path(given).expanduser()
    if not (path / INDEX).is_file():
        raise UserError(
            f"{VARIABLE}={given}: there is no {INDEX}; give the folder of `fer prefetch`, or "
            f"unset {VARIABLE}"
        )
    return path


def weights_folder(path: Path) -> Path:
    """Where published weights lie in a folder of ``fer prefetch``."""
    return path / "weights"


def asked(recipe: Recipe) -> str:
    """Hash of what a job asks for: a recipe, and where its source is said to be.

    Unlike the archive's own hash, it is known without the source and without a detector's weights.
    """
    shared = {f.name for f in fields(Corpus)} - {"root"}
    corpus = {k: v for k, v in to_plain(recipe.corpus).items() if k not in shared}
    name, size, channels = recipe.corpus.name, recipe.image_size, recipe.channels
    return digest([name, corpus, identity(recipe.detector), size, channels])


@dataclass(frozen=True)
class Prefetched:
    """``prefetched.json``: which archive answers which recipe.

    Attributes:
        path: The folder.
        archives: Archive by :func:`asked`, relative to the folder where it lies in it.
    """

    path: Path
    archives: dict[str, str]

    @classmethod
    def open(cls, path: Path) -> Prefetched:
        """What a folder holds so far; nothing, if it is new.

        Raises:
            UserError: If the file is damaged.
        """
        file = path / INDEX
        try:
            loaded = json.loads(file.read_text(encoding="utf-8"))
            return cls(path, dict(loaded["archives"]))
        except FileNotFoundError:
            return cls(path, {})
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(
                f"{file} is damaged ({error!r}): delete it, and run `fer prefetch` again"
            ) from error

    def save(self) -> None:
        """Write the file, whole or not at all, beside what others have laid there since."""
        self.path.mkdir(parents=True, exist_ok=True)
        with FileLock(self.path / f".{INDEX}.lock"):
            there = Prefetched.open(self.path).archives
            write_json(self.path / INDEX, {"archives": {**there, **self.archives}})

    def keep(self, recipe: Recipe, archive: Path) -> None:
        """Note an archive as the answer to a recipe."""
        place, here = archive.resolve(), self.path.resolve()
        inside = place.relative_to(here) if place.is_relative_to(here) else place
        self.archives[asked(recipe)] = inside.as_posix()

    def archive(self, recipe: Recipe) -> Path | None:
        """The archive that answers a recipe, or None."""
        known = self.archives.get(asked(recipe))
        return None if known is None else self.path / known


def prefetched_archive(recipe: Recipe, wanted: Path | None) -> Path | None:
    """The archive that was laid ready for a recipe, or None.

    Args:
        recipe: What goes in.
        wanted: Where it has to stand; None for anywhere.
    """
    ready = folder()
    if ready is None:
        return None
    with naming(ready):
        found = Prefetched.open(ready).archive(recipe)
    elsewhere = wanted is not None and found is not None and found.resolve() != wanted.resolve()
    return None if elsewhere else found
