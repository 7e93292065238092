"""Typed configuration as plain data, and the part of it that identifies an experiment."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from typing import Any, cast, get_args, get_type_hints

from omegaconf import DictConfig, OmegaConf

from fer_lightning.registry import Registry

NOT_IDENTITY = {"identity": False}
"""Metadata of a field whose value decides how a job runs, not what comes out."""

LATER = {"omit_default": True}
"""Metadata of a field that came after archives and runs were made without it: its default, which
gives what came out before, stays out of the identity, so that they keep their names."""

OVERRIDES = {"overrides": True}
"""Metadata of a field that holds overrides of other jobs, ``[key=value,…]``."""


def to_plain(node: Any) -> Any:
    """Dataclasses, enums and paths as dicts, names and strings.

    That is what YAML, JSON and checkpoints hold, so that no file of ours needs pickled classes.
    """
    if is_dataclass(node):
        return {f.name: to_plain(getattr(node, f.name)) for f in fields(node)}
    if isinstance(node, enum.Enum):
        return node.name
    if isinstance(node, Path):
        return str(node)
    if isinstance(node, Mapping):
        return {str(key): to_plain(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [to_plain(value) for value in node]
    return node


def from_plain(registry: Registry, plain: Mapping[str, Any]) -> Any:
    """Inverse of :func:`to_plain` for a component: its class is found by its ``name``.

    So are those of components in a mapping of it, such as the parts of a combined corpus.
    """
    return OmegaConf.to_object(_schema(registry, plain))


def _schema(registry: Registry, plain: Mapping[str, Any]) -> DictConfig:
    schema = OmegaConf.structured(registry.load(plain["name"]))
    inner = {
        key: {name: _schema(registry, part) for name, part in value.items()}
        for key, value in plain.items()
        if isinstance(value, Mapping)
        and value
        and all(isinstance(part, Mapping) and "name" in part for part in value.values())
    }
    return cast(DictConfig, OmegaConf.merge(schema, dict(plain) | inner))


def identity(node: Any) -> Any:
    """The part of a configuration that decides a result.

    That leaves out paths, ``NOT_IDENTITY`` fields, and ``LATER`` fields at their defaults.
    Two runs with equal identities, on equal archives, are the same experiment.
    """
    if isinstance(node, Mapping):
        return {str(key): identity(value) for key, value in node.items()}
    if not is_dataclass(node):
        return to_plain(node)
    return {
        f.name: identity(getattr(node, f.name))
        for f in fields(node)
        if f.metadata.get("identity", True) and f.name not in path_fields(type(node))
        if not (f.metadata.get("omit_default") and getattr(node, f.name) == _default(f))
    }


def _default(field: Field[Any]) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


def path_fields(schema: Any) -> dict[str, bool]:
    """Fields of a dataclass that hold a path (False) or a list of paths (True)."""
    hints = get_type_hints(schema)
    return {
        f.name: hints[f.name] == list[Path]
        for f in fields(schema)
        if hints[f.name] is Path or Path in get_args(hints[f.name])
    }


def flatten(node: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested plain data as dotted keys and leaf values."""
    for name, value in node.items():
        if isinstance(value, Mapping) and value:
            yield from flatten(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
