"""The configuration of a cell, composed in the process that plans the study."""

from __future__ import annotations

from collections.abc import Sequence

from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from fer_lightning.cli import conf_dir
from fer_lightning.config.mistakes import (
    choices_of,
    explain,
    keys_of,
    nothing_chosen,
    of_empty_slot,
    slots_of,
)
from fer_lightning.config.quoting import path_keys, quote_paths
from fer_lightning.config.registration import JOB_SCHEMAS
from fer_lightning.registry import REGISTRIES


def as_typed(job: str, overrides: Sequence[str]) -> list[str]:
    """Overrides with their paths quoted, as ``fer`` does with what is typed."""
    components = [r.load(name) for r in REGISTRIES for name in r.names()]
    return quote_paths(overrides, path_keys([JOB_SCHEMAS[job], *components]))


def mistake_in(job: str, overrides: Sequence[str]) -> str | None:
    """What Hydra has against a cell's overrides; a launcher would end the whole study by it."""
    loader = GlobalHydra.instance().config_loader()

    def compose(overrides: Sequence[str]) -> DictConfig:
        return loader.load_configuration(job, list(overrides), run_mode=RunMode.RUN)

    try:
        compose(overrides)
    except (HydraException, OmegaConfBaseException) as error:
        slots = slots_of(job, conf_dir())
        return explain(error, job, lambda: keys_of(compose(choices_of(overrides, slots)), slots))
    except AssertionError as error:
        if not of_empty_slot(error):
            raise
        return nothing_chosen(job, overrides, conf_dir())
    return None
