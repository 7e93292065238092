"""Sample grids of run folders as data within the page, small and of bounded size in all."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from fer_lightning.analysis.html.lines import Line
from fer_lightning.errors import UserError
from fer_lightning.progress import progress_bar

WIDTH = 720
"""Of a picture in the page; a wider one is made smaller."""
STEPS = 6
"""Of one training, the end among them."""
NEAR = 0.05
"""A picture that far from a step, as a share of it, was made at that step: batches differ."""
BYTES = 12_000_000
"""Of all pictures together, as text."""
END = "end"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A picture that the page could show.

    Attributes:
        line: Number of the line.
        seed: Of the run.
        step: Images seen at which it is shown, or :data:`END`.
        images: Images seen when it was made.
        file: The picture.
    """

    line: int
    seed: int | None
    step: str
    images: int
    file: Path

    @property
    def rank(self) -> tuple[bool, int, int]:
        """Sorts the ends of trainings first, then by seed, the late before the early."""
        return self.step != END, -1 if self.seed is None else self.seed, -self.images


def pictures_of(lines: Sequence[Line], budget: int = BYTES) -> dict[str, Any]:
    """Pictures of every line, seed and step as plain data, the ends of trainings first.

    ``steps`` names the steps, ``pictures`` holds them, and ``left_out`` counts those for which
    ``budget`` had no room.

    Raises:
        UserError: If a picture is damaged.
    """
    folders = [m.folder for line in lines for m in line.members if m.folder is not None]
    files = {folder: _grids(folder) for folder in folders}
    longest = max(files.values(), key=len, default={})
    chosen = _thinned(sorted(longest)[:-1], STEPS - 1)
    steps = [END, *(f"{step}" for step in reversed(chosen))]
    wanted = sorted(_wanted(lines, files, chosen), key=lambda one: one.rank)
    pictures: list[dict[str, Any]] = []
    sources: list[tuple[str, int, int]] = []
    places: dict[Path, int] = {}
    used = left_out = 0
    bar = progress_bar(wanted, desc="Reading sample grids", unit="img", leave=False, delay=1)
    for one in bar:
        if one.file not in places and used < budget:
            places[one.file] = len(sources)
            sources.append(_encoded(one.file))
            used += len(sources[-1][0])
        if one.file not in places:
            left_out += 1
            continue
        pictures.append(
            {
                "line": one.line,
                "seed": one.seed,
                "step": one.step,
                "images": one.images,
                "source": places[one.file],
            }
        )
    return {
        "steps": [step for step in steps if any(one["step"] == step for one in pictures)],
        "pictures": pictures,
        "sources": sources,
        "left_out": left_out,
    }


def _grids(folder: Path) -> dict[int, Path]:
    """Pictures of a run by images seen, which name their files."""
    found = (folder / "samples").glob("*.png")
    return {int(file.stem): file for file in sorted(found) if file.stem.isdigit()}


def _thinned(steps: Sequence[int], most: int) -> list[int]:
    """At most so many, evenly, the first and the last among them."""
    places = np.linspace(0, len(steps) - 1, min(most, len(steps))).round().astype(int)
    return [steps[place] for place in places]


def _wanted(
    lines: Sequence[Line], files: Mapping[Path, Mapping[int, Path]], chosen: Sequence[int]
) -> Iterator[Wanted]:
    for number, line in enumerate(lines):
        for member in line.members:
            own = {} if member.folder is None else files[member.folder]
            for step, images in _steps(sorted(own), chosen):
                yield Wanted(
                    line=number, seed=member.seed, step=step, images=images, file=own[images]
                )


def _steps(own: Sequence[int], chosen: Sequence[int]) -> Iterator[tuple[str, int]]:
    """The end, and of every chosen step the nearest that is there, if it is near."""
    if own:
        yield END, own[-1]
    for step in chosen if len(own) > 1 else ():
        nearest = min(own[:-1], key=lambda images: abs(images - step))
        if abs(nearest - step) <= NEAR * step:
            yield f"{step}", nearest


def _encoded(file: Path) -> tuple[str, int, int]:
    """A picture as a data address, with its width and height."""
    try:
        with Image.open(file) as picture:
            small = picture.convert("RGB")
    except (OSError, UnidentifiedImageError) as error:
        raise UserError(f"{file} is damaged ({error}): delete it") from error
    if small.width > WIDTH:
        height = max(1, round(small.height * WIDTH / small.width))
        small = small.resize((WIDTH, height), Image.Resampling.LANCZOS)
    written = io.BytesIO()
    small.save(written, "WEBP", quality=80, method=4)
    text = base64.b64encode(written.getvalue()).decode("ascii")
    return f"data:image/webp;base64,{text}", small.width, small.height
