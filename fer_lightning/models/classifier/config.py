"""Hyper-parameters of the expression classifier; imports no torch."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from fer_lightning.config.plain import LATER
from fer_lightning.errors import UserError
from fer_lightning.models.config import WEIGHTS, FaceFormat, ModelConfig

if TYPE_CHECKING:
    from fer_lightning.models.classifier.module import Classifier


class Network(enum.Enum):
    """Networks by name; :mod:`fer_lightning.models.classifier.networks` builds them."""

    paper_b = "paper_b"
    vgg_fer = "vgg_fer"
    vgg11_bn = "vgg11_bn"
    vgg16 = "vgg16"
    alexnet = "alexnet"
    resnet18 = "resnet18"
    resnet18_se = "resnet18_se"
    resnet18_cbam = "resnet18_cbam"
    resnet50 = "resnet50"


WIDTHS = (Network.paper_b, Network.vgg_fer)
"""Networks whose width can be chosen."""
PRETRAINED = (Network.resnet18, Network.resnet50, Network.vgg11_bn, Network.vgg16)
"""Networks that take torchvision's ImageNet weights."""
POOLED = (*PRETRAINED, Network.resnet18_se, Network.resnet18_cbam)
"""Networks that can end in a mean over the last maps."""
BLOCKS = 5
"""Blocks of convolutions of each pretrained network; a ResNet's stem is one."""
LEAST_SIZE = {Network.paper_b: 16, Network.vgg_fer: 32, Network.alexnet: 32}
"""Smallest side of an image in pixels; of the other networks, 32."""


class Optimizer(enum.Enum):
    """What descends the loss."""

    sgd = "sgd"
    adamw = "adamw"


class Schedule(enum.Enum):
    """How the learning rate falls."""

    constant = "constant"
    cosine = "cosine"
    plateau = "plateau"


class Monitor(enum.Enum):
    """The number on the validation part that decides which weights are the best."""

    accuracy = "accuracy"
    macro_f1 = "macro_f1"
    loss = "loss"


@dataclass(kw_only=True)
class ClassifierConfig(ModelConfig):
    """A network that names the expression of a face, and its training recipe.

    The defaults are paper B's CNN (B.3). ``models/classifier/README.md`` has each network's
    source.

    Attributes:
        network: The network, by name.
        width: Filters of the first layer of ``paper_b`` and ``vgg_fer``; the others have one.
        pretrained: Start from torchvision's ImageNet weights, which are downloaded unless they
            are in torch's cache or given by ``weights``; ``resnet18``, ``resnet50``, ``vgg11_bn``,
            ``vgg16``.
        weights: File of those weights.
        hidden: Units of a linear layer with a ReLU between the mean over the last maps and the
            last layer, in place of a VGG's own two; 0 leaves it out.
        trained_blocks: Of a pretrained network, train the linear layers and so many of its five
            blocks of convolutions, the last ones; those before stay as they are, batch
            normalisation in eval mode. None trains all.
        dropout: Before the last layer; ``paper_b`` drops half as often after each of its blocks.
        label_smoothing: Share of the target that all classes have in common.
        class_weights: Weigh the loss by the inverse of how often training shows a class.
        mixup: Alpha of mixup's Beta distribution; 0 turns it off.
        optimizer: ``sgd`` (with Nesterov's momentum 0.9) or ``adamw``.
        lr: Its step size.
        weight_decay: Its weight decay.
        gradient_clip: Largest norm of the gradient; 0 turns clipping off.
        schedule: The step size stays (``constant``), falls to zero over ``schedule_images`` by a
            half cosine, or is multiplied by ``plateau_factor`` after ``plateau_patience``
            validations without a better one (``plateau``).
        schedule_images: Images over which ``cosine`` falls; conf/model/classifier.yaml takes the
            run's length. Without meaning for the others.
        warmup_images: Images over which the step size first rises from zero.
        plateau_factor: See ``schedule``.
        plateau_patience: See ``schedule``.
        ema_half_life: Real images after which a weight's share in the averaged network has halved;
            0 turns averaging off. Where there is one, it is the averaged network that is measured.
        validation_images: Measure the validation part after every so many real images.
        monitor: What is better there: more ``accuracy``, more ``macro_f1``, or less ``loss``.
        keep_best: Keep the weights that were best there; else the run ends with its last ones.
        patience: Stop after so many validations without a better one; 0 never stops early.
    """

    name: str = "classifier"
    network: Network = Network.paper_b
    width: int = 64
    pretrained: bool = False
    weights: Path | None = field(default=None, metadata=WEIGHTS)
    hidden: int = field(default=0, metadata=LATER)
    trained_blocks: int | None = field(default=None, metadata=LATER)
    dropout: float = 0.5
    label_smoothing: float = 0.0
    class_weights: bool = False
    mixup: float = 0.0
    optimizer: Optimizer = Optimizer.adamw
    lr: float = 1e-3
    weight_decay: float = 0.0
    gradient_clip: float = 0.0
    schedule: Schedule = Schedule.plateau
    schedule_images: int | None = None
    warmup_images: int = 0
    plateau_factor: float = 0.5
    plateau_patience: int = 3
    ema_half_life: int = 0
    validation_images: int = 10_000
    monitor: Monitor = Monitor.accuracy
    keep_best: bool = True
    patience: int = 0

    def __post_init__(self) -> None:
        if not self.lr > 0:
            raise UserError(f"model.lr={self.lr}: give a number above 0")
        if not 0 < self.plateau_factor < 1:
            raise UserError(f"model.plateau_factor={self.plateau_factor}: give a number in (0, 1)")
        for key in ("width", "validation_images", "plateau_patience"):
            if getattr(self, key) < 1:
                raise UserError(f"model.{key}={getattr(self, key)}: give at least 1")
        for key in ("mixup", "weight_decay", "gradient_clip"):
            if not getattr(self, key) >= 0:
                raise UserError(f"model.{key}={getattr(self, key)}: give a number, or 0 for off")
        for key in ("warmup_images", "ema_half_life", "patience", "hidden"):
            if getattr(self, key) < 0:
                raise UserError(f"model.{key}={getattr(self, key)}: give a number, or 0 for off")
        for key in ("dropout", "label_smoothing"):
            if not 0 <= getattr(self, key) < 1:
                raise UserError(f"model.{key}={getattr(self, key)}: give a number in [0, 1)")
        self._check_network()
        self._check_schedule()

    @property
    def heeds_validation(self) -> bool:
        """Whether what is measured on the validation part changes the run."""
        return bool(self.keep_best or self.patience or self.schedule is Schedule.plateau)

    def _check_schedule(self) -> None:
        """Refuse a cosine without an end; keys that nothing reads are no part of what a run is."""
        if self.schedule is not Schedule.cosine:
            self.schedule_images = None  # else a run's length would be, too
        elif self.schedule_images is None or self.schedule_images < 1:
            raise UserError(
                f"model.schedule_images={self.schedule_images}: model.schedule=cosine needs the "
                "images over which the learning rate falls; pass model.schedule_images=N"
            )
        if self.schedule is not Schedule.plateau:
            self.plateau_factor = type(self).plateau_factor
            self.plateau_patience = type(self).plateau_patience
        if not self.heeds_validation:
            self.monitor = type(self).monitor

    def _check_network(self) -> None:
        network = self.network.name
        if self.width != 64 and self.network not in WIDTHS:
            widths = ", ".join(each.name for each in WIDTHS)
            raise UserError(
                f"model.width={self.width}: model.network={network} has one width; choose it for "
                f"{widths}"
            )
        if self.pretrained and self.network not in PRETRAINED:
            known = ", ".join(each.name for each in PRETRAINED)
            raise UserError(
                f"model.pretrained=true: there are no ImageNet weights for model.network={network};"
                f" choose from {known}"
            )
        if self.weights is not None and not self.pretrained:
            raise UserError("model.weights= is for model.pretrained=true: pass that, too")
        if self.hidden and self.network not in POOLED:
            pooled = ", ".join(each.name for each in POOLED)
            raise UserError(
                f"model.hidden={self.hidden}: model.network={network} has linear layers of its "
                f"own; choose it for {pooled}"
            )
        if self.trained_blocks is not None and not self.pretrained:
            raise UserError(
                f"model.trained_blocks={self.trained_blocks} would keep other blocks at random "
                "weights: pass model.pretrained=true, too"
            )
        if self.trained_blocks is not None and not 0 <= self.trained_blocks <= BLOCKS:
            raise UserError(
                f"model.trained_blocks={self.trained_blocks}: give 0 to {BLOCKS}, or null for all"
            )

    def check(self, image_size: int) -> None:
        """Refuse images that pooling would leave nothing of."""
        least = LEAST_SIZE.get(self.network, 32)
        if image_size < least:
            raise UserError(
                f"image_size={image_size}: model.network={self.network.name} needs at least {least}"
            )

    def build(self, faces: FaceFormat, seed: int) -> Classifier:
        """Make the LightningModule.

        Raises:
            UserError: If there are not two emotions to tell apart.
        """
        if len(faces.classes) < 2:
            raise UserError(
                f"all training images are of {', '.join(faces.classes)}: a classifier needs two "
                "emotions; see data="
            )
        from fer_lightning.models.classifier.module import Classifier

        return Classifier(self, faces, seed)
