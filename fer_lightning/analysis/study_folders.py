"""Finds the folder of a study, and reads what ``fer study`` wrote there."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from fer_lightning.analysis.files import read_json, required
from fer_lightning.config.study import ARM, Study
from fer_lightning.errors import UserError
from fer_lightning.studies.record import STUDIES

_HASHED = re.compile(r"(.+)-[0-9a-f]{8}")


@dataclass(frozen=True, kw_only=True)
class StudyFolder:
    """A study that was run.

    Attributes:
        path: Its folder.
        study: What it is.
        command: The command that ran it.
        train: Overrides added to its training stages.
        cells: Its cells as plain data.
    """

    path: Path
    study: Study
    command: str
    train: Sequence[str]
    cells: Sequence[Mapping[str, Any]]

    @property
    def arms(self) -> list[str]:
        """Names of the arms that its cells have, the baseline's first, else as in the study."""
        found = dict.fromkeys(c["axes"][ARM] for c in self.cells if ARM in c["axes"])
        return sorted(found, key=lambda arm: arm != self.study.baseline.get(ARM))


def find_study(name: str) -> Path:
    """The folder of a study that is given by folder or by name.

    Raises:
        UserError: If there is none, or several of that name.
    """
    if (Path(name).expanduser() / "study.json").is_file():
        return Path(name).expanduser()
    folders = sorted(file.parent for file in STUDIES.glob("*/study.json"))
    named = [(match[1], f) for f in folders if (match := _HASHED.fullmatch(f.name))]
    found = [folder for known, folder in named if known == name]
    if len(found) == 1:
        return found[0]
    if found:
        choices = "; ".join(f"study={f} (train={_train(f)})" for f in found)
        raise UserError(f"study={name} was run in several forms; give a folder: {choices}")
    if "/" in name or Path(name).is_dir():
        raise UserError(f"study={name}: there is no {Path(name) / 'study.json'}")
    near = difflib.get_close_matches(name, [known for known, _ in named], n=1)
    hint = f"did you mean study={near[0]}?" if near else f"run `fer study study={name}` first"
    raise UserError(f"study={name}: no such study was run under {STUDIES}; {hint}")


def _train(folder: Path) -> str:
    return f"[{','.join(map(str, read_json(folder / 'study.json').get('train', [])))}]"


def read_study(path: Path) -> StudyFolder:
    """Read ``study.json`` of a folder.

    Raises:
        UserError: If it is damaged.
    """
    file = path / "study.json"
    loaded = read_json(file)
    cells = required(loaded, "cells", file)
    try:
        written = _escaped(required(loaded, "study", file))
        plain = OmegaConf.merge(OmegaConf.structured(Study), written)
        study: Any = OmegaConf.to_object(plain)
        for cell in cells:
            cell["stage"], cell["job"], cell["seed"], dict(cell["axes"]), cell["status"]
    except (OmegaConfBaseException, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{file} is damaged ({error!r}): run `fer study` again") from error
    return StudyFolder(
        path=path,
        study=study,
        command=str(loaded.get("command", "")),
        train=[str(override) for override in loaded.get("train", [])],
        cells=cells,
    )


def _escaped(node: Any) -> Any:
    """Plain data whose ``${…}``, which are for the cells to resolve, stay text."""
    if isinstance(node, Mapping):
        return {key: _escaped(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_escaped(value) for value in node]
    return node.replace("${", "\\${") if isinstance(node, str) else node
