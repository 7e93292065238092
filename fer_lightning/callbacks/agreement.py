"""Makes sure that all processes of a run train the same run."""

from __future__ import annotations

from lightning import Callback, LightningModule, Trainer

from fer_lightning.ranks import check_same_run


class SameRun(Callback):
    """Compares a hash of the configuration over all ranks before the first batch.

    Args:
        digest: Hash of what this process is about to train.
    """

    def __init__(self, digest: str) -> None:
        self.digest = digest

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Compare.

        Raises:
            UserError: If ranks differ.
        """
        check_same_run(self.digest)
