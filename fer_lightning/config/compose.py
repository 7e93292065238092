"""From a composed configuration to the typed object that a job receives."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

from omegaconf import MISSING, DictConfig, OmegaConf
from omegaconf.errors import InterpolationResolutionError, MissingMandatoryValue

from fer_lightning.errors import UserError


def to_typed(composed: DictConfig) -> Any:
    """Build the job's dataclass; every ``__post_init__`` check runs here.

    Raises:
        UserError: If a value is missing, impossible or unknown to the schema.
    """
    try:
        typed = OmegaConf.to_object(composed)
    except MissingMandatoryValue as error:
        raise UserError(f"{error.full_key} is required: pass {error.full_key}=…") from error
    except InterpolationResolutionError as error:
        variable = str(error.msg).rpartition("variable '")[2].partition("'")[0]
        raise UserError(
            f"{error.full_key} needs the environment variable {variable}: export {variable}=DIR, "
            f"or pass {error.full_key}=…"
        ) from error
    _refuse_unknown(typed, "")
    return typed


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
