"""A trained classifier as a judge: its weights stay, and gradients pass through to the images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from fer_lightning.checkpoints import checkpoint_of, load_hashed
from fer_lightning.data.conversion import converted
from fer_lightning.errors import UserError
from fer_lightning.models.classifier.module import Classifier
from fer_lightning.models.classifier.networks import FaceNetwork


class FrozenClassifier(nn.Module):
    """Names the expression of faces of any size and colours, always in eval mode.

    Its network is no registered part. So whatever goes over a module's parts passes it by:
    training mode, optimizers, checkpoints, SyncBatchNorm, what ranks share. Moves to another
    device or precision do reach it.

    Args:
        run: Run folder of a classifier.
        classes: Emotions by class index, as the caller counts them; the classifier may know more.
        key: That the run was given by, for errors.
        others: Also answer with what else the classifier knows.

    Attributes:
        classes: Emotions by column of the logits: those given, then the others.
        checkpoint: Hash of the file of weights, as :func:`fer_lightning.checkpoints.load_hashed`
            gives it.

    Raises:
        UserError: If the folder holds no classifier, or one that does not know all ``classes``.
    """

    columns: Tensor

    def __init__(
        self,
        run: Path,
        classes: Sequence[str],
        key: str = "model.classifier",
        others: bool = False,
    ) -> None:
        super().__init__()
        module, self.checkpoint = load_hashed(checkpoint_of(run, key))
        if not isinstance(module, Classifier):
            raise UserError(
                f"{key}={run} is no classifier; train one by `fer train model=classifier`"
            )
        unknown = [emotion for emotion in classes if emotion not in module.classes]
        if unknown:
            raise UserError(
                f"{key}={run} does not know {', '.join(unknown)}; it was trained on "
                f"{', '.join(module.classes)}: leave out the others, or give another classifier"
            )
        network = module.best_network.requires_grad_(False).eval()
        self._hidden = [network]  # a list, so that it is not registered
        besides = [emotion for emotion in module.classes if emotion not in classes]
        self.classes = [*classes, *(besides if others else [])]
        columns = torch.tensor([module.classes.index(emotion) for emotion in self.classes])
        self.register_buffer("columns", columns, persistent=False)
        self._faces: dict[str, Any] = module.description["faces"]

    @property
    def network(self) -> FaceNetwork:
        """The network itself."""
        return self._hidden[0]

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> FrozenClassifier:
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]  # PyTorch's lacks annotations
        self.network._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return self

    def forward(self, images: Tensor) -> Tensor:
        """Logits of faces; gradients reach the faces alone.

        Args:
            images: (N, C, H, W) in [-1, 1], C 1 or 3, on the device of the network.

        Returns:
            float32 of shape (N, K), in the order of ``classes``.
        """
        weight = next(self.network.parameters())
        wanted = self._faces["image_size"], self._faces["channels"]
        logits: Tensor = self.network(converted(images.to(weight.dtype), *wanted))
        return logits.float().index_select(1, self.columns)
