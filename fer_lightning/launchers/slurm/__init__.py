"""``hydra/launcher=slurm``: the cells of a sweep as jobs of a SLURM cluster."""

from __future__ import annotations

from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from fer_lightning.errors import UserError

TARGET = "hydra_plugins.fer_lightning.SlurmLauncher"
"""The launcher's name in ``conf/hydra/launcher/slurm.yaml``; see :mod:`..pool` for why there."""
PLUGINS = ("hydra_plugins", "submitit")
"""Packages that the extra ``slurm`` brings."""


def register() -> None:
    """Make the launcher known to Hydra, or what says that its plugin is missing."""
    launcher: type[Launcher] = PluginMissing
    try:
        from fer_lightning.launchers.slurm.launcher import SlurmLauncher
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in PLUGINS:
            raise
        # What our YAML extends; any key may be given, so that the plugin's absence is what is told.
        keys = OmegaConf.create({}, flags={"struct": False})
        ConfigStore.instance().store(group="hydra/launcher", name="submitit_slurm", node=keys)
    else:
        launcher = SlurmLauncher
    Plugins.instance().class_name_to_class[TARGET] = launcher


class PluginMissing(Launcher):
    """Stands for the launcher where hydra-submitit-launcher is not installed."""

    def __init__(self, **keys: Any) -> None:
        super().__init__()

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Say what to install.

        Raises:
            UserError: Always.
        """
        raise UserError(
            "hydra/launcher=slurm needs hydra-submitit-launcher: pip install 'fer_lightning[slurm]'"
        )

    def launch(self, job_overrides: Any, initial_job_idx: int) -> Any:
        """Never called: :meth:`setup` has raised."""
        raise NotImplementedError
