"""The expression classifier on the shared training base."""

from __future__ import annotations

import copy
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import SGD, AdamW
from torch.optim import Optimizer as TorchOptimizer

from fer_lightning.data.batch import FaceBatch
from fer_lightning.models.base import TrainingModule, in_eval_mode
from fer_lightning.models.classifier.config import ClassifierConfig, Monitor, Optimizer, Schedule
from fer_lightning.models.classifier.networks import FaceNetwork, build_network
from fer_lightning.models.classifier.objective import (
    balanced_weights,
    cross_entropy,
    mix,
    rate_factor,
)
from fer_lightning.models.classifier.pretrained import load_imagenet
from fer_lightning.models.config import FaceFormat
from fer_lightning.nn.ema import AveragedNetwork
from fer_lightning.rng import WEIGHTS, stream_seed


class Classifier(TrainingModule):
    """Names the expression of a face, one of :attr:`classes`.

    Attributes:
        network: The network as it is trained.
        average: Its moving average, or None where that is switched off.
        selected: The weights that were best on the validation part, or None where that is
            switched off; :attr:`selected_images` says when that was.
        best_score: What they scored; more is better.
        selected_images: The run's clock when they were selected; 0 before that.
        rate: The learning rate of the last step.
    """

    def __init__(self, config: ClassifierConfig, faces: FaceFormat, seed: int) -> None:
        super().__init__(config, faces, seed)
        self.config = config
        statistics = "ImageNet's mean and deviation" if config.pretrained else "[-1, 1]"
        self.description["normalisation"] = statistics
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(stream_seed(seed, WEIGHTS))
            self.network = self.make_network(config, faces)
        self.network.to(memory_format=torch.channels_last)
        half_life = config.ema_half_life
        self.average = AveragedNetwork(self.network, half_life) if half_life else None
        self.selected = _frozen_copy(self.network) if config.keep_best else None
        self.best_score = float("-inf")
        self.selected_images = 0
        self.since_best = 0
        self.since_lowered = 0
        self.plateau = 1.0
        self.rate = 0.0
        weights = balanced_weights(faces.frequencies) if config.class_weights else None
        self.class_weights: Tensor | None
        self.register_buffer(
            "class_weights", None if weights is None else torch.tensor(weights), persistent=False
        )

    def make_network(self, config: ClassifierConfig, faces: FaceFormat) -> FaceNetwork:
        """The network with its initial weights, from the global random state.

        A subclass with a network of its own overrides it.
        """
        return build_network(config, faces)

    @property
    def current_network(self) -> FaceNetwork:
        """What the run has learnt so far: the averaged network where there is one."""
        return self.network if self.average is None else cast(FaceNetwork, self.average.network)

    @property
    def best_network(self) -> FaceNetwork:
        """The network that the run stands for: the selected one where there is one."""
        if self.selected is None or not self.selected_images:
            return self.current_network
        return self.selected

    def load_pretrained(self) -> None:
        """ImageNet's weights, where ``model.pretrained`` asks for them."""
        if not self.config.pretrained:
            return
        load_imagenet(self.network, self.config)
        for copied in (self.selected, None if self.average is None else self.average.network):
            if copied is not None:
                copied.load_state_dict(self.network.state_dict())

    def configure_optimizers(self) -> TorchOptimizer:
        """SGD with Nesterov's momentum, or AdamW."""
        config = self.config
        weights = [weight for weight in self.network.parameters() if weight.requires_grad]
        if config.optimizer is Optimizer.sgd:
            return SGD(
                weights, config.lr, 0.9, weight_decay=config.weight_decay, nesterov=True, fused=True
            )
        return AdamW(weights, config.lr, weight_decay=config.weight_decay, fused=True)

    def training_step(self, batch: FaceBatch, batch_idx: int) -> dict[str, Tensor]:
        """One step on one batch.

        Returns:
            ``loss``, and the share of the batch that was recognised, ``train_accuracy``: in
            training mode, of augmented images, and by the first of two labels that mixup blends.
        """
        config = self.config
        images = len(batch) * self.trainer.world_size
        self.images_seen += images
        optimizer = cast(Any, self.optimizers())
        self.rate = config.lr * rate_factor(config, self.images_seen, self.plateau)
        for group in optimizer.param_groups:
            group["lr"] = self.rate
        faces, targets = batch.images, batch.emotions if batch.targets is None else batch.targets
        if config.mixup:
            shares = _shares(targets, len(self.classes)).to(faces)
            faces, targets = mix(faces, shares, config.mixup, self.noise)
        logits = self.network(faces)
        loss = cross_entropy(logits, targets, self.class_weights, config.label_smoothing)
        optimizer.zero_grad()
        self.manual_backward(loss)
        if config.gradient_clip:
            nn.utils.clip_grad_norm_(self.network.parameters(), config.gradient_clip)
        optimizer.step()
        if self.average is not None:
            self.average.update(self.network, images, self.images_seen)
        right = (logits.detach().argmax(1) == batch.emotions).float().mean()
        return {"loss": loss.detach(), "train_accuracy": right}

    @torch.no_grad()
    def probabilities(self, images: Tensor, flip: bool = False, best: bool = True) -> Tensor:
        """Probability of each class, by a network in eval mode.

        Args:
            images: (N, C, H, W) in [-1, 1], on the device of the model.
            flip: Average with the probabilities of the mirrored images.
            best: By :attr:`best_network`; else by :attr:`current_network`.

        Returns:
            float32 of shape (N, K).
        """
        network = self.best_network if best else self.current_network
        found = F.softmax(in_eval_mode(network, images).float(), 1)
        if flip:
            mirrored = in_eval_mode(network, images.flip(3))
            found = (found + F.softmax(mirrored.float(), 1)) / 2
        return found

    def perceive(self, images: Tensor) -> None:
        """Run :attr:`best_network`."""
        in_eval_mode(self.best_network, images)

    def validated(self, metrics: dict[str, float], regular: bool = True) -> None:
        """Take note of what :attr:`current_network` scored on the validation part.

        Keeps its weights if they are the best so far, lowers the learning rate on a plateau, and
        says when there is nothing more to hope for (:attr:`converged`). All ranks call it alike.

        Args:
            metrics: ``accuracy``, ``macro_f1`` and ``cross_entropy``.
            regular: Whether a longer run would have validated here, too. Else weights are kept,
                but neither plateau nor patience is counted, since the run may go on.
        """
        config = self.config
        monitored = "cross_entropy" if config.monitor is Monitor.loss else config.monitor.name
        score = -metrics[monitored] if config.monitor is Monitor.loss else metrics[monitored]
        better = score > self.best_score
        if better:
            self.best_score, self.selected_images = score, self.images_seen
            if self.selected is not None:
                self.selected.load_state_dict(self.current_network.state_dict())
        if not regular:
            return
        if better:
            self.since_best, self.since_lowered = 0, 0
            return
        self.since_best += 1
        self.since_lowered += 1
        if config.schedule is Schedule.plateau and self.since_lowered >= config.plateau_patience:
            self.plateau *= config.plateau_factor
            self.since_lowered = 0

    @property
    def measured_images(self) -> int:
        """When the weights that the run stands for were trained."""
        kept = self.selected is not None and self.selected_images > 0
        return self.selected_images if kept else self.images_seen

    @property
    def converged(self) -> bool:
        """Whether so many validations have brought nothing better that the run ends early."""
        return 0 < self.config.patience <= self.since_best

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Also what the validations have led to."""
        super().on_save_checkpoint(checkpoint)
        checkpoint["fer"]["validated"] = {name: getattr(self, name) for name in _VALIDATED}

    def restore(self, saved: dict[str, Any]) -> None:
        """Take up the clock, and what the validations have led to."""
        super().restore(saved)
        for name in _VALIDATED:
            setattr(self, name, saved["validated"][name])


_VALIDATED = ("best_score", "selected_images", "since_best", "since_lowered", "plateau")
"""What validations change, apart from the selected weights."""


def _frozen_copy(network: FaceNetwork) -> FaceNetwork:
    return copy.deepcopy(network).requires_grad_(False).eval()


def _shares(targets: Tensor, classes: int) -> Tensor:
    """Class indices as shares of the classes; shares as they are."""
    return F.one_hot(targets, classes) if targets.dim() == 1 else targets
