"""``fer prefetch``: lay ready what a study reads, for nodes without a network."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fer_lightning.config.evaluate import EvaluateConfig
from fer_lightning.config.prefetch import PrefetchConfig
from fer_lightning.data.preparation import archives_folder
from fer_lightning.errors import UserError, mendable
from fer_lightning.models.config import ModelConfig
from fer_lightning.prefetched import VARIABLE, Prefetched, folder, weights_folder
from fer_lightning.published import Published
from fer_lightning.runs import JobResult
from fer_lightning.studies.faces import FaceSupply
from fer_lightning.studies.inputs import Input, inputs_of
from fer_lightning.studies.weights import published_of

NAMED = ("FER_DATA", "FER_RETINAFACE_WEIGHTS")
"""Variables that configurations quote: archives are found by what they say."""


def run(config: PrefetchConfig) -> JobResult:
    """Prepare every archive and fetch every published file that a study will read.

    What fails is told, and the rest goes on.

    Raises:
        UserError: If the study cannot be planned, or no network is to be reached here.
    """
    if folder() is not None:
        raise UserError(f"{VARIABLE} is set, so that no network is reached: unset it to prefetch")
    out = (config.out or archives_folder()).expanduser()
    with _archives_in(out):
        failures = _lay(config, Prefetched.open(out))
    if failures:
        print(f"\n{failures} things failed; the same command tries what is missing again")
    _print_use(out)
    return JobResult(out, status=2 if failures else 0)


@contextmanager
def _archives_in(out: Path) -> Iterator[None]:
    """Let archives that are named by hash go to ``out``."""
    before = os.environ.get("FER_ARCHIVES")
    os.environ["FER_ARCHIVES"] = str(out)
    try:
        yield
    finally:
        os.environ.pop("FER_ARCHIVES")
        if before is not None:
            os.environ["FER_ARCHIVES"] = before


def _lay(config: PrefetchConfig, laid: Prefetched) -> int:
    """Prepare and fetch; the number of different things that failed."""
    supply, files = FaceSupply(laid), set[Published]()
    failed: set[str] = set()

    def fail(label: str, error: Exception) -> None:
        mistake = str(mendable(error) or error)
        if mistake not in failed:  # hundreds of cells may want one file
            print(f"fer: error: {label}: {mistake}", file=sys.stderr)
        failed.add(mistake)

    for entry in inputs_of(config.study, config.train):
        if not isinstance(entry, Input):
            fail(entry[0].label, entry[1])
            continue
        label = entry.cell.label
        wanted: dict[str, Published] = {}
        try:
            for archive in supply.prepare(entry):
                laid.save()
                print(f"archive: {archive} ({label})", flush=True)
            wanted = published_of(entry.config, _measured(supply, entry))
        except (UserError, OSError) as error:
            fail(label, error)
        for key, file in wanted.items():
            if file not in files:
                files.add(file)
                try:
                    print(f"weights: {file.lay(weights_folder(laid.path))} ({key})", flush=True)
                except (OSError, RuntimeError) as error:
                    fail(label, UserError(f"{key}: {file.url} cannot be fetched ({error})"))
    laid.save()
    if supply.left:
        print("made by the study itself:", *dict.fromkeys(supply.left), sep="\n  ")
    return len(failed)


def _measured(supply: FaceSupply, entry: Input) -> ModelConfig | None:
    """The model that an evaluation measures; None for other jobs."""
    made = supply.made(entry.config.run) if isinstance(entry.config, EvaluateConfig) else None
    return None if made is None else made.model


def _print_use(out: Path) -> None:
    """What to type on the node."""
    words = [w for w in sys.argv[1:] if not w.startswith("out=")]
    if words[:1] == ["prefetch"]:
        words[0] = "study"
    print("\non a node without a network, in this folder:")
    for name in NAMED:
        if value := os.environ.get(name):
            print(f"  export {name}={shlex.quote(value)}")
    print(f"  export {VARIABLE}={shlex.quote(str(out.resolve()))}")
    print(f"  {shlex.join(['fer', *words])}")
