"""From a composed configuration to the typed object that a job receives."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from omegaconf import MISSING, DictConfig, OmegaConf
from omegaconf.errors import (
    InterpolationKeyError,
    InterpolationResolutionError,
    MissingMandatoryValue,
)

from fer_lightning.errors import UserError

if TYPE_CHECKING:
    from fer_lightning.data.corpora.base import Corpus

BLOCKS = ("data", "fit", "test", "domains.source", "domains.target")
"""Where jobs may have a data block; one may have a detector of its own."""


def to_typed(composed: DictConfig) -> Any:
    """Build the job's dataclass; every ``__post_init__`` check runs here.

    Raises:
        UserError: If a value is missing, impossible or unknown to the schema.
    """
    try:
        typed = OmegaConf.to_object(composed)
    except MissingMandatoryValue as error:
        slot = "data@" if error.full_key in BLOCKS[1:] else ""
        raise UserError(f"{error.full_key} is required: pass {slot}{error.full_key}=…") from error
    except UserError as error:
        raise UserError(_in_its_place(composed, str(error))) from error
    except InterpolationKeyError as error:
        raise UserError(f"{error.full_key}: {error.msg}; pass {error.full_key}=…") from error
    except InterpolationResolutionError as error:
        variable = str(error.msg).rpartition("variable '")[2].partition("'")[0]
        raise UserError(
            f"{error.full_key} needs the environment variable {variable}: export {variable}=DIR, "
            f"or pass {error.full_key}=…"
        ) from error
    _refuse_unknown(typed, "")
    return typed


def relocated(text: str, keys: Iterable[str], place: str, group: str = "data") -> str:
    """A message in which ``data.<key>`` is called by where that block stands.

    Args:
        text: Names keys of a block that does not know its place.
        keys: Those of the block.
        place: Where it stands, such as ``data.parts.rafd``.
        group: By which the block calls its keys.
    """
    return re.sub(rf"(?<![\w.]){group}\.(?=({'|'.join(keys)})\b)", f"{place}.", text)


@contextmanager
def told_in_place(place: str, block: Corpus) -> Iterator[None]:
    """Mistakes that come up while a relocated data block is read are told with its own keys.

    Args:
        place: Where the block stands, such as ``domains.source``.
        block: It does not know that.
    """
    try:
        yield
    except UserError as error:
        text = relocated(str(error), [f.name for f in fields(block)], place).replace(
            f"data={block.name}", f"data@{place}={block.name}"
        )
        if block.detector is not None:
            own = [f.name for f in fields(block.detector)]
            text = relocated(text, own, f"{place}.detector", "detector")
        raise UserError(text) from error


def _in_its_place(composed: DictConfig, text: str) -> str:
    """What a block refused that stands elsewhere than at its group's name, with its own keys."""
    parts = [
        f"{place}.parts.{name}"
        for place in BLOCKS
        for name in OmegaConf.select(composed, f"{place}.parts", default=None) or {}
    ]
    # A whole refuses what its part does, so that parts are asked first.
    for place in (*parts, *BLOCKS):
        for where, group in ((f"{place}.detector", "detector"), (place, "data")):
            block = OmegaConf.select(composed, where, default=None)
            try:
                OmegaConf.to_object(block) if OmegaConf.is_config(block) else None
            except UserError as error:
                if str(error) == text:
                    return relocated(text, block, where, group)
    return text


def _refuse_unknown(node: object, prefix: str) -> None:
    """Hydra's ``+key=value`` slips keys past the schema; nothing would ever read them."""
    if not is_dataclass(node):
        return
    known = {f.name for f in fields(node)}
    chosen = getattr(node, "name", None)
    if getattr(type(node), "name", chosen) not in (chosen, MISSING):
        raise UserError(f"{prefix}name is fixed; choose another with {prefix.rstrip('.')}=NAME")
    for key in vars(node).keys() - known:
        raise UserError(
            f"there is no key {prefix}{key}; the keys there are {', '.join(sorted(known))}"
        )
    for name in known:
        _refuse_unknown(getattr(node, name), f"{prefix}{name}.")
