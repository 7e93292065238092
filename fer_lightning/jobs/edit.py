"""``fer edit``: change the emotion of the faces in photographs."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from fer_lightning.checkpoints import checkpoint_of, load_hashed
from fer_lightning.config.edit import EditConfig
from fer_lightning.config.plain import identity
from fer_lightning.data.corpora.layout import contents, files_below
from fer_lightning.data.corpora.named_files import IMAGE_SUFFIXES
from fer_lightning.data.fingerprint import digest, file_digest
from fer_lightning.data.images import UnusableImage
from fer_lightning.devices import chosen_device
from fer_lightning.editing.detector import detector_of_run
from fer_lightning.editing.editor import Editor
from fer_lightning.editing.gamut import gamut_sheet
from fer_lightning.editing.photograph import (
    SUFFIXES,
    read_note,
    read_photograph,
    save_noted,
    write_photograph,
)
from fer_lightning.editing.point import Point, point_of
from fer_lightning.errors import UserError
from fer_lightning.models.editing import EditingModule
from fer_lightning.progress import progress_bar
from fer_lightning.runs import JobResult, command_line, provenance

VERSION = 1
"""Raised whenever the same edit comes to give another picture, so that it is made again."""
PICTURES = (*IMAGE_SUFFIXES, ".webp", ".gif")
"""Files of a folder that are taken for pictures, by suffix; any other file may be named alone."""
LARGEST = round(2 * (Image.MAX_IMAGE_PIXELS or 0) / 1e6)
"""Megapixels from which on Pillow takes a picture for an attack and opens it no more."""
REASONS = {
    "no_face": "no face was found; another detector= may find it, detector=whole_image takes the "
    "whole picture for a face",
    "unreadable": "this is no picture that can be read",
    "too_large": f"it has more than {LARGEST} megapixels, the most that are read; make it smaller",
    "missing": "it is no longer there",
    "forbidden": "it may not be read; give it the permission",
}
"""Why a picture was skipped."""


@dataclass(frozen=True)
class Task:
    """One picture.

    Attributes:
        source: The file.
        target: Where its edit goes; None without a point.
        sheet: Where its sheet goes; None without one.
    """

    source: Path
    target: Path | None
    sheet: Path | None

    @property
    def outputs(self) -> list[Path]:
        """What is to be written."""
        return [path for path in (self.target, self.sheet) if path is not None]


def run(config: EditConfig) -> JobResult:
    """Edit, and print where the results are.

    Raises:
        UserError: If the run holds no model that edits, it does not know the emotion, there is
            no picture, none of them has a face, or another file stands where a result should go.
    """
    module, checkpoint = load_hashed(checkpoint_of(config.run))
    if not isinstance(module, EditingModule):
        raise UserError(
            f"run={config.run}: this model edits no faces; give the run of one that does, such "
            "as model=ganmut"
        )
    module.to(chosen_device(config.accelerator))
    point = point_of(config, module)
    if config.rho is not None and config.rho > module.extent:
        print(
            f"fer: warning: rho={config.rho:g} lies beyond {module.extent:.3g}, up to where the "
            "model was trained",
            file=sys.stderr,
        )
    tasks, place = tasks_of(config, point)
    work = Work(config, module, checkpoint, point)
    work.refuse_others(tasks)
    skipped: list[str] = []
    counts: Counter[str] = Counter()
    many = len(tasks) > 1
    bar = progress_bar(tasks, desc="Editing", unit="img", disable=not many)
    for task in bar:
        outcome = work.do(task)
        counts[outcome] += 1
        if outcome in REASONS:
            skipped.append(f"{task.source}: {REASONS[outcome]}")
            if many:
                bar.write(f"fer: warning: {skipped[-1]}", file=sys.stderr)
    if len(skipped) == len(tasks):
        all_of_them = f"none of the {len(tasks)} pictures could be edited"
        raise UserError(all_of_them if many else skipped[0])
    if many or counts["before"]:
        print(_summary(counts))
    if place.is_file() and len(tasks[0].outputs) > 1:
        print(f"sheet: {tasks[0].sheet}")
    print(f"{'sheet' if point is None else 'edited'}: {place}")
    return JobResult(place, dict(counts))


def _summary(counts: Mapping[str, int]) -> str:
    words = {
        "done": "{} done",
        "before": "{} done before (force=true does them again)",
        "no_face": "{} skipped without a face",
        "unreadable": "{} skipped that cannot be read",
        "too_large": "{} skipped that are too large",
        "missing": "{} skipped that are gone",
        "forbidden": "{} skipped that may not be read",
    }
    return ", ".join(text.format(counts[key]) for key, text in words.items() if counts.get(key))


class Work:
    """Does one picture after another."""

    def __init__(
        self, config: EditConfig, module: EditingModule, checkpoint: str, point: Point | None
    ) -> None:
        self.config = config
        self.module = module
        self.point = point
        chosen, why = config.detector, "as asked for"
        if chosen is None:
            chosen, why = detector_of_run(config.run.expanduser())
        self.editor = Editor(module, chosen, config.faces)
        print(f"faces are found by {chosen.name}: {why}")
        self.settings = {
            "version": VERSION,
            "checkpoint": checkpoint,
            "detector": identity(chosen),
            "weights": [file_digest(path) for path in chosen.files()],
        }
        origin = provenance()
        self.note = {
            "synthetic": True,
            "command": command_line(),
            "run": str(config.run),
            "checkpoint": checkpoint,
            "model": module.description["model"]["name"],
            "images_seen": module.images_seen,
            "detector": chosen.name,
            "versions": {name: origin["versions"][name] for name in ("fer_lightning", "torch")},
            "commit": origin["commit"],
        }

    def refuse_others(self, tasks: Sequence[Task]) -> None:
        """See before any work that no other file stands where a result should go.

        Raises:
            UserError: If one does.
        """
        for task in tasks:
            if any(path.exists() for path in task.outputs):
                with suppress(UnusableImage):  # which is told when it is its turn
                    self._is_done(self._keys(task))

    def do(self, task: Task) -> str:
        """Edit a picture: ``done``, ``before``, or why it was skipped.

        Raises:
            UserError: If another file stands where the result should go.
        """
        try:
            keys = self._keys(task)
            if self._is_done(keys):
                return "before"
            photograph = read_photograph(task.source)
        except UnusableImage as error:
            return error.reason
        pixels = photograph.pixels
        faces = self.editor.find(pixels)
        if not faces:
            return "no_face"
        if task.target is not None and self.point is not None:
            note = {
                **self._note_of(task, keys[task.target]),
                **self.point.asked,
                "point": [round(x, 6) for x in self.point.coordinates[0].tolist()],
                "faces": [[round(float(x), 1) for x in face.box] for face in faces],
            }
            edited = self.editor.edit(pixels, faces, self.point.coordinates)
            write_photograph(task.target, photograph, edited, note)
        if task.sheet is not None:
            shown = self.editor.shown(self.editor.place(pixels, faces[0]))
            sheet = gamut_sheet(self.module, torch.from_numpy(shown)[None])
            save_noted(sheet, task.sheet, self._note_of(task, keys[task.sheet]))
        return "done"

    def _is_done(self, keys: Mapping[Path, str]) -> bool:
        """Whether all results of a picture are there, and not to be made again."""
        if self.config.force:
            return False
        finished = [_is_finished(path, key) for path, key in keys.items()]  # looks at each
        return all(finished)

    def _keys(self, task: Task) -> dict[Path, str]:
        """What identifies each result: the picture, and all that is done to it."""
        try:
            base = {**self.settings, "source": file_digest(task.source)}
        except PermissionError:
            raise UnusableImage("forbidden") from None
        except FileNotFoundError:
            raise UnusableImage("missing") from None
        except OSError:
            raise UnusableImage("unreadable") from None
        asked = None if self.point is None else self.point.asked
        edit = {**base, "asked": asked, "faces": self.config.faces.name}
        keys = {task.target: digest(edit), task.sheet: digest({**base, "sheet": True})}
        return {path: key for path, key in keys.items() if path is not None}

    def _note_of(self, task: Task, key: str) -> dict[str, Any]:
        return {**self.note, "source": task.source.name, "key": key}


def _is_finished(path: Path, key: str) -> bool:
    """Whether a result is there already.

    Raises:
        UserError: If another file is.
    """
    if not path.exists():
        return False
    note = read_note(path)
    if note is None or note.get("key") != key:
        raise UserError(
            f"{path} holds another picture; pass force=true to replace it, or another out="
        )
    return True


def tasks_of(config: EditConfig, point: Point | None) -> tuple[list[Task], Path]:
    """The pictures with the places of their results, and the place of all.

    Raises:
        UserError: If there is none, or a result could not be written there.
    """
    image = config.image.expanduser()
    edits = config.run.expanduser() / "edits"
    alone = point is None
    what = "gamut" if point is None else point.name
    if image.is_dir():
        out = (config.out or edits / f"{image.resolve().name}-{what}").expanduser()
        if out.is_file():
            raise UserError(f"out={out}: image={image} is a folder; give another folder")
        if image.resolve().is_relative_to(out.resolve()):
            raise UserError(
                f"out={out} holds image={image}, whose pictures would count as results; give "
                "another folder, which may lie in that of the pictures"
            )
        tasks = [_task(config, point, file, out / place) for file, place in _below(image, out)]
        if not tasks:
            raise UserError(f"image={image} holds no pictures; found {contents(image)}")
        _check_places(tasks)
        return tasks, out
    if not image.exists():
        raise UserError(f"image={image}: there is no such file; give a picture or a folder")
    name = f"{image.stem}-{what}{'.png' if alone else _suffix(image)}"
    out = (config.out or edits / name).expanduser()
    if out.suffix.lower() not in SUFFIXES or out.is_dir():
        raise UserError(f"out={out}: give a file that ends in {', '.join(SUFFIXES)}")
    tasks = [Task(image, None, out) if alone else _task(config, point, image, out)]
    _check_places(tasks)
    return tasks, out


def _check_places(tasks: Sequence[Task]) -> None:
    """Refuse results that would replace a picture to be edited, or each other.

    Links count as what they lead to, so that no name for a picture leads to its loss.
    """
    sources = {task.source.resolve() for task in tasks}
    taken: dict[Path, Path] = {}
    for task in tasks:
        for path in task.outputs:
            place = path.resolve()
            if place in sources:
                raise UserError(f"{path} is a picture that is to be edited; give another out=")
            if place in taken:
                raise UserError(
                    f"{path} would hold the results of both {taken[place]} and {task.source}; "
                    "rename one of them"
                )
            taken[place] = task.source


def _task(config: EditConfig, point: Point | None, source: Path, target: Path) -> Task:
    """One picture; its sheet stands beside the edit."""
    sheet = target.with_name(f"{target.name.removesuffix('.png')}-gamut.png")
    return Task(source, None if point is None else target, sheet if config.sheet else None)


def _below(image: Path, out: Path) -> Iterator[tuple[Path, Path]]:
    """The pictures of a folder with the places of their results in ``out``, but not those."""
    for file in files_below(image):
        own = file.resolve().is_relative_to(out.resolve())
        if file.suffix.lower() in PICTURES and not own:
            place = file.relative_to(image)
            suffix = _suffix(file)
            yield file, place if suffix == file.suffix else place.with_name(file.name + suffix)


def _suffix(image: Path) -> str:
    """That of the result: the picture's own where such files are written, else ``.png``."""
    return image.suffix if image.suffix.lower() in SUFFIXES else ".png"
