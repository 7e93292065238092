"""The encoder-generator-classifier GAN of paper C on the shared training base."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from fer_lightning.data.batch import FaceBatch
from fer_lightning.errors import UserError
from fer_lightning.models.base import AdversarialModule, Losses, in_eval_mode
from fer_lightning.models.classifier.frozen import FrozenClassifier
from fer_lightning.models.config import FaceFormat
from fer_lightning.models.egc_gan.config import EGCGANConfig
from fer_lightning.models.egc_gan.networks import build_networks
from fer_lightning.models.egc_gan.objective import discriminator_terms, generator_terms


class EGCGAN(AdversarialModule):
    """Translates faces of a source domain into the target domain (Arabian & Moeller).

    A batch holds target faces (``images``), source faces (``source``) and the labels of both.

    Attributes:
        classifier: The frozen judge, while training with a ``classifier_weight``; else None.
        classifier_hash: Hash of the judge's weights, which a checkpoint carries in place of them;
            None before it was opened, and where there is none.
    """

    def __init__(self, config: EGCGANConfig, faces: FaceFormat, seed: int) -> None:
        self.config = config
        self.faces = faces
        super().__init__(config, faces, seed)
        self.classifier: FrozenClassifier | None = None
        self.classifier_hash: str | None = None

    def networks(self) -> tuple[nn.Module, nn.Module]:
        """Paper C's networks at the size of the data."""
        return build_networks(self.config, self.faces)

    def setup(self, stage: str) -> None:
        """Open the classifier, for training alone: to translate faces takes none.

        Raises:
            UserError: If it is not to be had, or does not know all classes.
        """
        if stage == "fit" and self.config.classifier_weight and self.classifier is None:
            assert self.config.classifier is not None  # its configuration has seen to it
            judge = FrozenClassifier(self.config.classifier, self.classes)
            self.classifier = judge.to(self.device)
            self.classifier_hash = self.classifier.checkpoint

    def generate(self, batch: FaceBatch) -> FaceBatch:
        """The translations of the batch's source faces, with their labels."""
        return FaceBatch(self.generator(_source(batch), batch.emotions), batch.emotions)

    def discriminator_loss(self, real: FaceBatch, fake: FaceBatch) -> Losses:
        """Target faces and translations go through apart, each with batch statistics of its own.

        The generator is judged on a batch of translations alone, too.
        """
        of_real, of_fake = (self.discriminator(b.images, b.emotions) for b in (real, fake))
        return discriminator_terms(of_real, of_fake)

    def generator_loss(self, real: FaceBatch, fake: FaceBatch) -> Losses:
        """Discriminator and classifier on the translations, and the L1 terms that are wanted."""
        config = self.config
        judged = reconstructed = kept = None
        if self.classifier is not None:
            judged = self.classifier(fake.images), fake.emotions
        if config.reconstruction_weight:
            reconstructed = fake.images, _source(real)
        if config.identity_weight:
            with _unrecorded(self.generator):
                kept = self.generator(real.images, real.emotions), real.images
        logits = self.discriminator(fake.images, fake.emotions)
        return generator_terms(config, logits, judged, reconstructed, kept)

    def translate(self, images: Tensor, emotions: Tensor | None = None) -> Tensor:
        """Faces carried into the target domain, by :attr:`best_generator` in eval mode.

        Args:
            images: (N, C, H, W) in [-1, 1], of the size and channels of the training.
            emotions: Class indices, int64 of shape (N,); needed with ``generator_label`` alone.

        Returns:
            float32 of shape (N, C, H, W) in [-1, 1].
        """
        inputs = [images] if emotions is None else [images, emotions]
        return in_eval_mode(self.best_generator, *(i.to(self.device) for i in inputs)).float()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Also which classifier it was trained against."""
        super().on_save_checkpoint(checkpoint)
        checkpoint["fer"]["classifier"] = self.classifier_hash

    def restore(self, saved: dict[str, Any]) -> None:
        """Take up the clock.

        Raises:
            UserError: If the training is to go on against another classifier.
        """
        super().restore(saved)
        hashed: str | None = saved["classifier"]
        if self.classifier is not None and self.classifier.checkpoint != hashed:
            raise UserError(
                f"model.classifier={self.config.classifier} is another classifier than this run "
                "was trained against; give that one, or pass force=true to start anew"
            )
        self.classifier_hash = hashed


def _source(batch: FaceBatch) -> Tensor:
    if batch.source is None:
        raise UserError(
            "model=egc_gan translates between two domains: pass data@domains.source= and "
            "data@domains.target="
        )
    return batch.source


@contextmanager
def _unrecorded(network: nn.Module) -> Iterator[None]:
    """Batch norm keeps no statistics: those of sources are what translating goes by."""
    norms = [m for m in network.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        norm.track_running_stats = False
    try:
        yield
    finally:
        for norm in norms:
            norm.track_running_stats = True
