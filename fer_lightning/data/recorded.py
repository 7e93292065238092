"""From a run folder back to the data that its model was trained on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from fer_lightning.config.domains import DomainsConfig
from fer_lightning.config.plain import from_plain
from fer_lightning.data.archive import FaceArchive
from fer_lightning.data.corpora.base import Corpus
from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.data.domains import DomainDataModule
from fer_lightning.detectors.base import DetectorConfig
from fer_lightning.errors import UserError
from fer_lightning.registry import corpora, detectors

Place = tuple[Path, str]
"""Where an archive was, and its key."""


def faces_of_run(folder: Path, labelled: bool) -> FaceDataModule:
    """The data of a run as it was trained on, from its ``config.yaml``.

    Args:
        folder: The run's.
        labelled: Whether its model needs labels.

    Raises:
        UserError: If it cannot be found or made here, or is no longer the same.
    """
    plain, keys, places = _recorded(folder)
    if plain.get("domains") is not None:
        raise UserError(f"{folder} was trained on two domains")
    try:
        data = _block(plain["data"])
        shape = _shape(plain)
    except (KeyError, TypeError, AttributeError, OmegaConfBaseException) as error:
        raise _of_another_version(folder, error) from error
    _locate(data, places)
    faces = FaceDataModule(data, *shape, labelled=labelled)
    faces.setup()
    _check(faces.archives, keys)
    return faces


def domains_of_run(folder: Path, classes: Sequence[str]) -> DomainDataModule:
    """The two domains of a run as it was trained on, likewise.

    Args:
        folder: The run's.
        classes: Those of its model.

    Raises:
        UserError: As :func:`faces_of_run`; also if the run was trained on one domain.
    """
    plain, keys, places = _recorded(folder)
    if plain.get("domains") is None:
        raise UserError(
            f"{folder} was trained on one domain; give a run of a model that translates"
        )
    try:
        source, target = (_block(plain["domains"][name]) for name in ("source", "target"))
        shape = _shape(plain)
    except (KeyError, TypeError, AttributeError, OmegaConfBaseException) as error:
        raise _of_another_version(folder, error) from error
    first = 1 + len(source.extra)
    _locate(source, places[:first])
    _locate(target, places[first:])
    domains = DomainsConfig(source=source, target=target)
    faces = DomainDataModule(domains, *shape, known=classes)
    faces.setup()
    _check(faces.archives, keys)
    return faces


def trained_archives(run: Path) -> set[str]:
    """Hashes of the archives that a run was trained on.

    Raises:
        UserError: If its manifest does not say so.
    """
    try:
        manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
        return set(manifest["identity"]["archives"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{run} does not say what it was trained on ({error!r})") from error


def _recorded(folder: Path) -> tuple[dict[str, Any], list[str], list[Place]]:
    """What a run says of its data: configuration, archive keys, and where those archives were."""
    try:
        plain: Any = OmegaConf.to_container(OmegaConf.load(folder / "config.yaml"))
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        keys = list(manifest["identity"]["archives"])
        places = list(zip(map(Path, manifest.get("archives", [])), keys, strict=False))
    except (OSError, ValueError, KeyError, IndexError, TypeError, yaml.YAMLError) as error:
        raise UserError(f"{folder} does not say what it was trained on ({error!r})") from error
    return plain, keys, places


def _block(plain: dict[str, Any]) -> Corpus:
    block = plain.pop("detector")
    data: Corpus = from_plain(corpora, plain)
    data.detector = None if block is None else from_plain(detectors, block)
    return data


def _shape(plain: dict[str, Any]) -> tuple[DetectorConfig, int, int | None, int]:
    """Detector, image size, channels and seed."""
    detector = from_plain(detectors, plain["detector"])
    return detector, plain["image_size"], plain["channels"], plain["seed"]


def _of_another_version(folder: Path, error: Exception) -> UserError:
    return UserError(f"{folder / 'config.yaml'} is not of this version ({error})")


def _locate(data: Corpus, places: Sequence[Place]) -> None:
    """Let a block take the archives of the run where they still are what they were."""
    there = [place.is_dir() and FaceArchive.open(place).key == key for place, key in places]
    if data.archive is None and there[:1] == [True]:
        data.archive = places[0][0]  # needs no source and no detector
    if len(there) == 1 + len(data.extra):  # as absolute paths, whatever was typed
        extra = zip(there[1:], places[1:], data.extra, strict=True)
        data.extra = [place if found else typed for found, (place, _), typed in extra]


def _check(archives: Sequence[FaceArchive], keys: Sequence[str]) -> None:
    if [archive.key for archive in archives] != keys:
        opened = ", ".join(str(archive.path) for archive in archives)
        raise UserError(f"{opened} holds other faces than those that the run was trained on")
