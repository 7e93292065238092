"""One of two processes that train together: ``python worker.py MODE FOLDER``.

The folder holds an archive, ``faces``, and gets the result.

Without LOCAL_RANK in its environment it is the one process that the two are compared with.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from torch import Tensor, nn

from fer_lightning.callbacks.losses import LossLog
from fer_lightning.data.archive import FaceArchive
from fer_lightning.data.batch import FaceBatch
from fer_lightning.data.loader import FaceLoader, FaceStore
from fer_lightning.data.pairs import PairLoader
from fer_lightning.losses.masked import masked_mean
from fer_lightning.losses.penalties import blend, gradient_penalty
from fer_lightning.models.base import AdversarialModule, Losses
from fer_lightning.models.cgan.config import CGANConfig
from fer_lightning.models.cgan.module import CGAN
from fer_lightning.models.config import AdversarialConfig, FaceFormat
from fer_lightning.models.dcgan.config import DCGANConfig
from fer_lightning.models.dcgan.module import DCGAN
from fer_lightning.models.egc_gan.config import EGCGANConfig, Encoder
from fer_lightning.models.egc_gan.module import EGCGAN
from fer_lightning.models.ganmut import objective
from fer_lightning.models.ganmut.config import GANmutConfig, Space
from fer_lightning.models.ganmut.module import EditBatch, GANmut
from fer_lightning.models.ganmut.space import DrawnPoints
from fer_lightning.ranks import check_same_run, leave_group
from fer_lightning.rng import noise_generator

RANK = int(os.environ.get("LOCAL_RANK", "0"))
RANKS = int(os.environ.get("WORLD_SIZE", "1"))
STEPS = 5
FACES = FaceFormat(image_size=16, channels=1, classes=["happiness", "fear"], frequencies=[1, 1])
PAIRS = FaceFormat(image_size=32, channels=1, classes=["happiness", "fear"], frequencies=[1, 1])
NEUTRAL = FaceFormat(
    image_size=32, channels=1, classes=["neutral", "fear", "happiness"], frequencies=[1, 1, 1]
)
"""Three, so that of the first faces, which a Gaussian space edits to each, a rank has one more."""
LARGER = FaceFormat(image_size=32, channels=1, classes=[], frequencies=[])


class NormFree(AdversarialModule):
    """Two dense networks without batch norm, whose gradients are means over images."""

    def networks(self) -> tuple[nn.Module, nn.Module]:
        generator = nn.Sequential(nn.Linear(6, 32), nn.Tanh(), nn.Linear(32, 256), nn.Tanh())
        return generator, nn.Sequential(nn.Linear(256, 32), nn.LeakyReLU(), nn.Linear(32, 1))

    def latent(self, count: int) -> Tensor:
        return torch.randn((count, 6), generator=self.noise)

    def generate(self, batch: FaceBatch) -> FaceBatch:
        images = self.generator(self.latent(len(batch))).view(-1, 1, 16, 16)
        return FaceBatch(images, batch.emotions)

    def discriminator_loss(self, real: FaceBatch, fake: FaceBatch) -> Losses:
        scores = [self.discriminator(batch.images.flatten(1)) for batch in (real, fake)]
        return {"loss": nn.functional.softplus(-scores[0]).mean() + scores[1].square().mean()}

    def generator_loss(self, real: FaceBatch, fake: FaceBatch) -> Losses:
        return {"loss": nn.functional.softplus(-self.discriminator(fake.images.flatten(1))).mean()}


class UnionNoise(NormFree):
    """One process with the noise of both: rank r takes images r, r + 2, … of every batch."""

    def latent(self, count: int) -> Tensor:
        if not hasattr(self, "streams"):
            self.streams = [noise_generator(self.seed, r, torch.device("cpu")) for r in (0, 1)]
        parts = [torch.randn((count // 2, 6), generator=stream) for stream in self.streams]
        return torch.stack(parts, 1).flatten(0, 1)


class UnionPoints(GANmut):
    """One process with what two would draw, as :class:`UnionNoise`: points and blends."""

    @property
    def noise(self) -> torch.Generator:
        """Of the rank that :meth:`generate` or :meth:`_penalty` is at."""
        if not hasattr(self, "streams"):
            self.streams = [noise_generator(self.seed, r, torch.device("cpu")) for r in (0, 1)]
            self.at = 0
        return self.streams[self.at]

    def generate(self, batch: FaceBatch) -> FaceBatch:
        drawn = []
        for self.at in (0, 1):
            rows = torch.arange(self.at, len(batch), 2)
            space = self.generator.space
            drawn.append(space.draw(batch.emotions[rows], rows, len(batch), self.noise))
        parts = {
            name: None if getattr(drawn[0], name) is None else interleaved(drawn, name)
            for name in ("points", "emotions", "directed", "intensity")
        }
        asked = DrawnPoints(**parts)
        return EditBatch(self.generator(batch.images, asked.points), asked.emotions, drawn=asked)

    def _penalty(self, real: Tensor, fake: Tensor) -> Tensor | None:
        blends = []
        for self.at in (0, 1):
            blends.append(blend(real[self.at :: 2], fake[self.at :: 2], self.noise))
        whole = torch.stack(blends, 1).flatten(0, 1)
        return gradient_penalty(self.discriminator(whole, slope=True))


def interleaved(drawn: list[DrawnPoints], name: str) -> Tensor:
    """What both ranks have, in the order of their common batch."""
    return torch.stack([getattr(each, name) for each in drawn], 1).flatten(0, 1)


class Counting:
    """``masked_mean``, which keeps how many values this rank had in each of its terms."""

    def __init__(self) -> None:
        self.counts: list[int] = []

    def __call__(self, values: Tensor, mask: Tensor) -> Tensor:
        self.counts.append(int(mask.sum()))
        return masked_mean(values, mask)


def ganmut(space: Space) -> GANmut:
    """The generator steps with every batch, so that the first one has all gradients."""
    sizes = {"generator_width": 4, "generator_blocks": 1, "discriminator_width": 4, "depth": 4}
    config = GANmutConfig(space=space, critic_steps=1, **sizes)
    trained = (GANmut if RANKS == 2 else UnionPoints)(config, NEUTRAL, seed=3)
    if space is Space.gaussian:  # a circle is the same however it is turned: no gradient
        with torch.no_grad():
            trained.generator.space.variances[:, 1] *= 0.5
    return trained


class Keep(lightning.Callback):
    """Gradients after the first step, records of all."""

    def __init__(self) -> None:
        self.gradients: list[Tensor] = []
        self.records: list[dict[str, Tensor]] = []

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):  # type: ignore[no-untyped-def]
        self.records.append(outputs)
        if batch_idx == 0:
            self.gradients = [p.grad.clone() for p in pl_module.parameters() if p.requires_grad]


class Rows(lightning.pytorch.loggers.logger.DummyLogger):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[dict[str, float]] = []

    def log_metrics(self, metrics, step=None):  # type: ignore[no-untyped-def]
        self.rows.append(dict(metrics))


def module(mode: str, folder: Path) -> AdversarialModule:
    if mode == "cgan":
        config = CGANConfig(latent_dim=8, width=4, ema_half_life=100, dropout=0.2)
        return CGAN(config, FACES, seed=3)
    if mode == "dcgan":
        small = DCGANConfig(generator_width=4, discriminator_width=4, ema_half_life=100)
        return DCGAN(small, LARGER, seed=3)
    if mode == "egc_gan":
        lite = {"encoder": Encoder.lite, "code_dim": 8, "width": 4, "identity_weight": 1.0}
        judged = EGCGANConfig(classifier=folder / "judge", ema_half_life=100, **lite)
        return EGCGAN(judged, PAIRS, seed=3)
    if mode.startswith("ganmut"):
        return ganmut(Space[mode.removeprefix("ganmut_")])
    kind = NormFree if RANKS == 2 else UnionNoise
    return kind(AdversarialConfig(name="norm_free"), FACES, seed=3)


def loader(mode: str, store: FaceStore) -> FaceLoader:
    rows, share = np.arange(48), {"rank": RANK, "ranks": RANKS}
    if mode == "egc_gan":  # eight of the faces are the target domain
        source, target = ((store, part, part % 2) for part in (rows[:40], rows[40:]))
        return PairLoader(*source, *target, batch_size=8, seed=0, **share)
    labels = rows % (3 if mode.startswith("ganmut") else 2)
    return FaceLoader(store, rows, labels, batch_size=8, seed=0, training=True, **share)


def main(mode: str, folder: Path) -> None:
    torch.manual_seed(RANK)
    objective.masked_mean = masked = Counting()  # type: ignore[assignment]
    trained, keep, rows = module(mode, folder), Keep(), Rows()
    store = FaceStore([FaceArchive.open(folder / "faces")], torch.device("cpu"))
    trainer = lightning.Trainer(
        accelerator="cpu",
        devices=RANKS,
        strategy="ddp_find_unused_parameters_true" if RANKS > 1 else "auto",
        logger=rows,
        callbacks=[keep, LossLog(8, 10**9)],
        limit_train_batches=STEPS,
        max_epochs=1,
        use_distributed_sampler=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(trained, loader(mode, store))
    result: dict[str, Any] = {
        "gradients": keep.gradients,
        "weights": dict(trained.named_parameters()),
        "noise": trained.noise.get_state(),
        "records": keep.records,
        "rows": rows.rows,
        "images_seen": trained.images_seen,
        "masked": masked.counts,
    }
    torch.save(result, folder / f"{mode}-{RANKS}-{RANK}.pt")
    if mode == "disagree":
        check_same_run(f"configuration of rank {RANK}")
    leave_group()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
