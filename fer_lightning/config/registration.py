"""Gives Hydra the schemas, and the folders in which configuration files are found."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points
from pathlib import PurePath
from typing import Any

import yaml
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import DictConfig, OmegaConf

from fer_lightning.config.benchmark import BenchmarkConfig
from fer_lightning.config.edit import EditConfig
from fer_lightning.config.evaluate import EvaluateConfig
from fer_lightning.config.generate import GenerateConfig
from fer_lightning.config.logger import LoggerConfig
from fer_lightning.config.prefetch import PrefetchConfig
from fer_lightning.config.probe import ProbeConfig
from fer_lightning.config.schema import CorporaConfig, PrepareConfig, TrainConfig
from fer_lightning.config.study import CompareConfig, StudyConfig
from fer_lightning.launchers import pool, slurm
from fer_lightning.registry import REGISTRIES

JOB_SCHEMAS = {
    "corpora": CorporaConfig,
    "prepare": PrepareConfig,
    "train": TrainConfig,
    "evaluate": EvaluateConfig,
    "probe": ProbeConfig,
    "generate": GenerateConfig,
    "edit": EditConfig,
    "study": StudyConfig,
    "prefetch": PrefetchConfig,
    "compare": CompareConfig,
    "benchmark": BenchmarkConfig,
}


class FerSearchPath(SearchPathPlugin):
    """Adds the configuration packages that third parties announce by entry point."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Append one package an entry point, after our own folder."""
        for entry in entry_points(group="fer_lightning.conf"):
            search_path.append(provider=entry.name, path=f"pkg://{entry.value}")


def register() -> None:
    """Register every schema under ``schema/<group>``, apart from the YAML that users choose."""
    for job, schema in JOB_SCHEMAS.items():
        _store("schema/job", job, schema)
    _store("schema/logger", "logger", LoggerConfig)
    for registry in REGISTRIES:
        for name in registry.names():
            _store(f"schema/{registry.config_group}", name, registry.load(name), opened=True)
    Plugins.instance().register(FerSearchPath)
    yaml.add_multi_representer(PurePath, _as_text)  # for --cfg, which would print a Python object
    pool.register()
    slurm.register()


@cache
def _store(group: str, name: str, schema: type[Any], opened: bool = False) -> None:
    """Once a process, since it takes milliseconds; ``opened`` takes new entries of mappings."""
    node = OmegaConf.structured(schema)
    if opened:
        _open_mappings(node)
    ConfigStore.instance().store(group=group, name=name, node=node)


def _as_text(dumper: Any, path: PurePath) -> Any:
    return dumper.represent_str(str(path))


def _open_mappings(node: DictConfig) -> None:
    """Let users add entries to free mappings; Hydra would ask for ``+data.labels.joyful=…``."""
    for key in node:
        if OmegaConf.is_missing(node, key) or not OmegaConf.is_dict(node[key]):
            continue
        if OmegaConf.get_type(node[key]) is dict:
            OmegaConf.set_struct(node[key], False)
        else:
            _open_mappings(node[key])
