"""Measures generated images against real ones."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from fer_lightning.config.evaluate import EvaluationConfig
from fer_lightning.data.batch import to_bytes
from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.data.duplicate_search import FaceSet, find
from fer_lightning.data.duplicates import trained_faces
from fer_lightning.data.fingerprint import digest
from fer_lightning.data.loader import FaceStore
from fer_lightning.data.splits import EVERY
from fer_lightning.features.base import FeatureConfig, FeatureUnavailable
from fer_lightning.features.network import FeatureNetwork, Features, Pixels
from fer_lightning.features.pixels import PixelsConfig
from fer_lightning.metrics.distribution import SPLITS, Comparison, compare, subsets_of
from fer_lightning.metrics.evaluator import Evaluator, Measurement
from fer_lightning.metrics.extraction import BATCH, extract, real_vectors
from fer_lightning.metrics.judgement import judged_confusion, judgement
from fer_lightning.metrics.memorisation import (
    YARDSTICK,
    Nearest,
    Pairs,
    closest_pairs,
    memorisation,
    nearest_sheet,
    trained_images,
)
from fer_lightning.metrics.report import cautions, table, unmeasured
from fer_lightning.metrics.selection import Selection, select
from fer_lightning.metrics.similarity import similarity, similarity_protocol
from fer_lightning.models.sampling import SamplingModule
from fer_lightning.progress import progress_bar
from fer_lightning.registry import metrics
from fer_lightning.rng import EVALUATION, SUBSETS, stream_seed

Group = tuple[str | None, NDArray[np.int64]]
"""A class, or None for all images, and the positions of its images."""

VERSION = 2
"""Raised whenever the same model and faces come to give other numbers, for evaluations are named
by it; what a feature network alone changes is told by the network's own version."""

SHOWN = 20
"""Pairs of generated and training images in a measurement."""


@dataclass(frozen=True)
class GenerationMeasurement(Measurement):
    """What was measured of generated images.

    Attributes:
        pairs: The images nearest to training images, for a picture.
    """

    pairs: list[Pairs] = field(default_factory=list)


class GenerationEvaluator(Evaluator[SamplingModule]):
    """Measures generated images against real ones, once or while a model trains.

    Generated images have the very labels of the real ones, so that counts are equal, in all and
    in each class; a model without classes has no numbers by class. Their noise is a stream of its
    own for each batch, drawn on the CPU.

    Args:
        faces: The real faces, set up.
        split: Part of them: ``train``, ``val`` or ``test``; ``all`` is every labelled image, or
            every one for a model without classes.
        features: Feature networks, or how to build them; pixels are measured in any case, and one
            whose weights are not to be had is skipped with a warning.
        evaluation: Counts, seed, batch size and k.
        interval: As :class:`Evaluator` has it.
        trained_on: Where the training images are, for memorisation; None is ``faces``, and a text
            says why they are not to be had.
        max_images: As :class:`Evaluator` has it.
    """

    def __init__(
        self,
        faces: FaceDataModule,
        split: str,
        features: Sequence[FeatureConfig | FeatureNetwork],
        evaluation: EvaluationConfig,
        interval: int | None = None,
        trained_on: FaceDataModule | str | None = None,
        max_images: int | None = None,
    ) -> None:
        super().__init__(interval, max_images)
        self.faces = faces
        self.split = split
        self.features = list(features)
        if not any(feature.name == "pixels" for feature in self.features):
            self.features.append(PixelsConfig())
        self.evaluation = evaluation
        self.trained_on = faces if trained_on is None else trained_on
        self.skipped: dict[str, str] = {}

    @cached_property
    def networks(self) -> list[FeatureNetwork]:
        """The feature networks that can be had.

        Raises:
            UserError: If the given weights of one are damaged or foreign.
        """
        found = []
        for feature in self.features:
            try:
                network = feature if isinstance(feature, FeatureNetwork) else feature.build()
            except FeatureUnavailable as error:
                self.skipped[feature.name] = str(error)
                print(f"fer: warning: {error}", file=sys.stderr)
                continue
            found.append(network.requires_grad_(False).eval())
        return found

    def protocol(self, module: SamplingModule) -> dict[str, Any]:
        """All that decides what :meth:`measure` will find, but the weights; plain data.

        Raises:
            UserError: If the part holds too few images.
        """
        selection, settings = self._select(module), self.evaluation
        sizes = [int((selection.emotions == n).sum()) for n in range(len(module.classes))]
        features = [network.protocol for network in self.networks]  # fills `skipped`
        number, size = subsets_of(len(selection.rows), len(selection.rows))
        trained: dict[str, Any] | None = None
        if isinstance(self.trained_on, str):
            self.skipped["memorisation"] = self.trained_on
        else:
            trained = {
                "archives": [archive.key for archive in self.trained_on.archives],
                "rows": digest(self.trained_on.division["train"].tolist()),
                "no_yardstick": int((~self._held_out(selection, self.trained_on)).sum()),
            }
        return {
            "version": VERSION,
            "device": module.device.type,
            "split": self.split,
            "corpus": self.faces.archives[0].manifest["corpus"],
            "archives": [archive.key for archive in self.faces.archives],
            "rows": digest(selection.rows.tolist()),
            "trained_on": trained,
            "labelled": len(self.faces.parts[EVERY]),
            "count": len(selection.rows),
            "classes": dict(zip(module.classes, sizes, strict=True)),
            "unknown_emotions": selection.unknown,
            "below_dimensions": self._below_dimensions(selection, module.classes),
            "features": features,
            "feature_batch": BATCH,
            "skipped": dict(self.skipped),
            "ema": module.average is not None,
            "seed": settings.seed,
            "batch_size": settings.batch_size,
            "per_class": settings.per_class,
            "neighbours": settings.neighbours,
            "kernel": {"subsets": number, "subset_size": size},
            "inception_score": {"splits": SPLITS},
            **(
                {"ssim": similarity_protocol(len(selection.rows), len(selection.rows))}
                if settings.ssim
                else {}
            ),
            **({"metrics": metrics.packages} if metrics.packages else {}),
        }

    @torch.no_grad()
    def measure(self, module: SamplingModule) -> GenerationMeasurement:
        """Generate and measure.

        Raises:
            UserError: If the part holds too few images.
        """
        protocol, device = self.protocol(module), module.device
        selection = self._select(module)
        fakes = self._generate(module, selection)
        found = Comparison()
        pairs: list[Pairs] = []
        details: dict[str, Any] = {}
        for network in self.networks:
            network.to(device)
            what = f"{self.split} images"
            real = real_vectors(network, self.faces, selection.rows, what, device)
            pieces = torch.split(fakes, BATCH)
            fake = extract(network, pieces, len(fakes), "generated images", device)
            for group, members in _bar(self._groups(selection, module.classes), network.name):
                index = torch.from_numpy(members).to(device)
                part = Features(
                    fake.vectors[index], None if fake.logits is None else fake.logits[index]
                )
                seed = stream_seed(self.evaluation.seed, SUBSETS)
                k = self.evaluation.neighbours
                found.add(compare(network.name, real[index], part, k, seed, group))
            if network.emotions and fake.logits is not None and module.classes:
                emotions = selection.emotions
                judged = (fake.logits, network.emotions, emotions, module.classes)
                found.add(judgement(*judged))
                details["confusion"] = judged_confusion(*judged)
            if isinstance(network, Pixels) and isinstance(self.trained_on, FaceDataModule):
                rows = self.trained_on.division["train"]
                what = "training images"
                trained = real_vectors(network, self.trained_on, rows, what, device)
                of_fake = Nearest.of(fake.vectors, trained)
                held = np.flatnonzero(self._held_out(selection, self.trained_on))
                of_real = None
                if len(held):
                    of_real = Nearest.of(real[torch.from_numpy(held).to(device)], trained)
                else:
                    found.left_out |= dict.fromkeys(YARDSTICK, "needs images not trained on")
                found.metrics |= memorisation(of_fake, of_real)
                rows = selection.rows[held]
                pairs = self._pairs(fakes, of_fake, rows, of_real, self.trained_on)
        if self.evaluation.ssim:
            archives, seed = self.faces.archives, self.evaluation.seed
            found.metrics |= similarity(fakes, archives, selection.rows, seed, device)
        if isinstance(self.trained_on, FaceDataModule):
            copies = find(FaceSet.of(fakes.numpy()), trained_faces(self.trained_on))
            found.metrics["near_duplicates_train"] = len(copies) / len(fakes)
        return GenerationMeasurement(
            found.metrics, {**protocol, "left_out": found.left_out}, details=details, pairs=pairs
        )

    def write(self, path: Path, measured: Measurement) -> None:
        """The generated images that are nearest to training images, beside those."""
        picture = path.with_suffix(".png")
        picture.unlink(missing_ok=True)
        if isinstance(measured, GenerationMeasurement) and measured.pairs:
            nearest_sheet(measured.pairs).save(picture)

    def report(self, path: Path, content: Mapping[str, Any]) -> Iterator[str]:
        """Counts and cautions, the numbers, and what was not measured."""
        protocol = content["protocol"]
        yield (
            f"{protocol['count']:,} generated and as many real images, {protocol['split']} of "
            f"{protocol['corpus']}; model at {content['images_seen']:,} images"
        )
        yield from cautions(protocol)
        yield table(content["metrics"])
        yield from unmeasured(protocol)
        if path.with_suffix(".png").is_file():
            yield f"nearest training images: {path.with_suffix('.png')}"

    def _select(self, module: SamplingModule) -> Selection:
        settings = self.evaluation
        return select(self.faces, self.split, module.classes, settings.count, settings.seed)

    def _generate(self, module: SamplingModule, selection: Selection) -> Tensor:
        """One image for every selected label, uint8 (N, H, W, C) on the CPU."""
        settings = self.evaluation
        labels = torch.from_numpy(selection.emotions)
        made = []
        with progress_bar(
            total=len(labels), desc="Generating", unit="img", leave=False, delay=1
        ) as bar:
            for number, batch in enumerate(torch.split(labels, settings.batch_size)):
                noise = Generator().manual_seed(stream_seed(settings.seed, EVALUATION, number))
                with module.uncompiled():
                    images = module.sample(batch, noise)
                made.append(to_bytes(images).cpu())
                bar.update(len(batch))
        return torch.cat(made)

    def _groups(self, selection: Selection, classes: Sequence[str]) -> list[Group]:
        """All images, and each class where classes are wanted."""
        groups: list[Group] = [(None, np.arange(len(selection.rows)))]
        if self.evaluation.per_class:
            groups += [
                (name, np.flatnonzero(selection.emotions == number))
                for number, name in enumerate(classes)
            ]
        return groups

    def _held_out(self, selection: Selection, trained_on: FaceDataModule) -> NDArray[np.bool_]:
        """Which real images the model was not trained on."""
        return ~trained_images(self.faces, selection.rows, trained_on)

    def _below_dimensions(
        self, selection: Selection, classes: Sequence[str]
    ) -> dict[str, dict[str, Any]]:
        """Groups with fewer images than a feature space has dimensions, by space."""
        sizes = [(name or "all", len(rows)) for name, rows in self._groups(selection, classes)]
        found = {}
        for network in self.networks:
            groups = [name for name, size in sizes if 2 <= size < network.num_features]
            if groups:
                found[network.name] = {"dimensions": network.num_features, "groups": groups}
        return found

    def _pairs(
        self,
        fakes: Tensor,
        fake: Nearest,
        rows: NDArray[np.int64],
        real: Nearest | None,
        trained_on: FaceDataModule,
    ) -> list[Pairs]:
        """The most suspicious images, and how near real images come to each other."""
        pairs = [closest_pairs("generated", fakes, fake, trained_on, SHOWN)]
        if real is not None:
            store = FaceStore(self.faces.archives, torch.device("cpu"))
            near = real.distances.argsort(stable=True)[: SHOWN // 2]
            images = store.gather(rows[near.numpy()])
            nearest = Nearest(real.distances[near], real.indices[near])
            label = f"real, {self.split}"
            pairs.append(closest_pairs(label, images, nearest, trained_on, SHOWN // 2))
        return pairs


def _bar(groups: list[Group], space: str) -> Iterator[Group]:
    yield from progress_bar(groups, desc=f"Comparing {space}", unit="group", leave=False, delay=1)
