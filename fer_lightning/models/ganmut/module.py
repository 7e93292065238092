"""GANmut on the shared training base."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fer_lightning.data.batch import FaceBatch
from fer_lightning.errors import UserError
from fer_lightning.losses.penalties import blend, gradient_penalty, r1_penalty
from fer_lightning.models.base import Losses, in_eval_mode
from fer_lightning.models.config import FaceFormat
from fer_lightning.models.editing import EditingModule
from fer_lightning.models.ganmut.config import Cycle, GANmutConfig, Penalty
from fer_lightning.models.ganmut.networks import Generator, Verdict, build_networks
from fer_lightning.models.ganmut.objective import (
    discriminator_terms,
    gaussian_generator_terms,
    linear_generator_terms,
)
from fer_lightning.models.ganmut.official import load_official
from fer_lightning.models.ganmut.space import DrawnPoints, EmotionSpace, GaussianSpace, LinearSpace


@dataclass
class EditBatch(FaceBatch):
    """Edits, and what they were asked for.

    Attributes:
        drawn: The points, and what they stand for.
    """

    drawn: DrawnPoints = field(kw_only=True)

    def detached(self) -> EditBatch:
        """Without the graphs of images and points."""
        return replace(self, images=self.images.detach(), drawn=self.drawn.detached())


class GANmut(EditingModule):
    """Edits the emotion of faces by points of a learnt space (d'Apolito et al. 2021)."""

    generator: Generator

    def __init__(self, config: GANmutConfig, faces: FaceFormat, seed: int) -> None:
        self.config = config
        self.faces = faces
        super().__init__(config, faces, seed)

    def networks(self) -> tuple[nn.Module, nn.Module]:
        """Paper E's networks at the size of the data."""
        return build_networks(self.config, self.faces)

    def load_pretrained(self) -> None:
        """The official weights, where ``model.official_weights`` asks for them."""
        load_official(self.generator, self.discriminator, self.config, self.faces)
        if self.average is not None:
            self.average.network.load_state_dict(self.generator.state_dict())

    def on_train_batch_start(self, batch: FaceBatch, batch_idx: int) -> None:
        """Both learning rates at this place of the run."""
        config, optimizers = self.config, cast("list[Any]", self.optimizers())
        factor = rate_factor(config, self.images_seen)
        for optimizer, rate in zip(
            optimizers, (config.discriminator_lr, config.generator_lr), strict=True
        ):
            for group in optimizer.param_groups:
                group["lr"] = rate * factor

    def generate(self, batch: FaceBatch) -> FaceBatch:
        """The batch's faces, edited by points that the space draws.

        Raises:
            UserError: If the batch has too few faces for the means of a Gaussian space.
        """
        rows, total = self._rows(batch)
        space = self.generator.space
        if isinstance(space, GaussianSpace) and total < space.classes:
            raise UserError(
                f"data.batch_size={total}: model.space=gaussian edits a face to each of the "
                f"{space.classes} classes in every batch; pass data.batch_size={space.classes} "
                "or more"
            )
        drawn = space.draw(batch.emotions, rows, total, self.noise)
        return EditBatch(self.generator(batch.images, drawn.points), drawn.emotions, drawn=drawn)

    def discriminator_loss(self, real: FaceBatch, fake: FaceBatch) -> Losses:
        """Real faces and edits go through together: without batch norm neither sees the other."""
        both = self._verdict(torch.cat([real.images, fake.images]))
        halves = zip(*(part.chunk(2) for part in both), strict=True)
        of_real, of_fake = (Verdict(*half) for half in halves)
        return discriminator_terms(
            self.config,
            of_real,
            of_fake,
            real.emotions,
            _drawn(fake).points,
            self._penalty(real.images, fake.images),
        )

    def generator_loss(self, real: FaceBatch, fake: FaceBatch) -> Losses:
        """What the discriminator says of the edits, and the way back to their sources."""
        config, drawn, space = self.config, _drawn(fake), self.generator.space
        of_fake = self._verdict(fake.images)
        rebuilt = self.generator(fake.images, self._way_back(real))
        difference = F.l1_loss(rebuilt, real.images)
        if isinstance(space, GaussianSpace):
            distances = space.distances(drawn.points)
            return gaussian_generator_terms(config, of_fake, drawn, difference, distances)
        return linear_generator_terms(config, of_fake, drawn, difference)

    def _penalty(self, real: Tensor, fake: Tensor) -> Tensor | None:
        if not self.config.penalty_weight:
            return None
        if self.config.penalty is Penalty.r1:
            return r1_penalty(self.discriminator(real, slope=True))
        return gradient_penalty(self.discriminator(blend(real, fake, self.noise), slope=True))

    def _way_back(self, real: FaceBatch) -> Tensor:
        """The points by which edits become their sources again, (N, dimension)."""
        with torch.no_grad():
            of_real = self._verdict(real.images)
        if self.config.cycle is Cycle.original:
            return of_real.points
        space = cast(LinearSpace, self.generator.space)
        certainty = F.softmax(of_real.logits.float(), 1).amax(1)
        if self.config.cycle is Cycle.approximate:
            return space.points(real.emotions, certainty)
        directed = space.directed(*self._rows(real))
        return space.scatter(real.emotions, certainty, directed, self.noise)

    def _rows(self, batch: FaceBatch) -> tuple[Tensor, int]:
        """Places of this rank's images in the batch of all ranks, and the size of that batch."""
        rank, ranks = 0, 1
        if self._trainer is not None:
            rank, ranks = self.global_rank, self.trainer.world_size
        total = len(batch) * ranks
        return torch.arange(rank, total, ranks, device=batch.images.device), total

    def _verdict(self, images: Tensor) -> Verdict:
        return cast(Verdict, self.discriminator(images))

    @property
    def space(self) -> EmotionSpace:
        """The space that belongs to :attr:`best_generator`."""
        return cast(Generator, self.best_generator).space

    @property
    def dimension(self) -> int:
        """Coordinates of a point: 2 or 3."""
        return self.config.dimension

    @property
    def extent(self) -> float:
        """How far from the origin training draws points; see the base."""
        return self.space.extent

    @torch.no_grad()
    def points(self, emotions: Tensor, intensity: Tensor | float) -> Tensor:
        """Where emotions of a given intensity lie; see the base."""
        emotions = emotions.to(self.device)
        strength = torch.as_tensor(intensity, dtype=torch.float32, device=self.device)
        return self.space.points(emotions, strength.expand(len(emotions))).float()

    def edit(self, images: Tensor, points: Tensor) -> Tensor:
        """Faces with another emotion; see the base."""
        inputs = (images.to(self.device), points.to(self.device))
        return in_eval_mode(self.best_generator, *inputs).float()

    def criticise(self, images: Tensor) -> Tensor:
        """Mean score of an image's patches."""
        return self._say(images).scores.mean((1, 2, 3)).float()

    def locate(self, images: Tensor) -> Tensor:
        """Where the discriminator sees faces."""
        return self._say(images).points.float()

    def _say(self, images: Tensor) -> Verdict:
        return Verdict(*in_eval_mode(self.discriminator, images.to(self.device)))


def rate_factor(config: GANmutConfig, images_seen: int) -> float:
    """Share of the learning rates that is left: 1, then a line down to 0 at the end of the run."""
    if config.schedule_images is None:
        return 1.0
    length = min(config.decay_images, config.schedule_images)
    return min(1.0, max(0.0, (config.schedule_images - images_seen) / length))


def _drawn(fake: FaceBatch) -> DrawnPoints:
    assert isinstance(fake, EditBatch)
    return fake.drawn
