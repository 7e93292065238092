"""``fer generate``: draw samples from a trained model into an archive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from fer_lightning.checkpoints import checkpoint_of, load_hashed
from fer_lightning.config.generate import GenerateConfig
from fer_lightning.data.archive import UNKNOWN, FaceArchive, archive_lock
from fer_lightning.data.archive_writer import ArchiveWriter, write_shard
from fer_lightning.data.batch import to_bytes
from fer_lightning.data.corpora.base import SourceRow
from fer_lightning.data.fingerprint import digest
from fer_lightning.data.index import excluded_table, index_table
from fer_lightning.devices import chosen_device
from fer_lightning.errors import UserError, naming
from fer_lightning.models.base import TrainingModule
from fer_lightning.models.sampling import SamplingModule
from fer_lightning.pictures import preview
from fer_lightning.progress import progress_bar
from fer_lightning.rng import sample_generator
from fer_lightning.runs import command_line


def run(config: GenerateConfig) -> FaceArchive:
    """Generate and print where the samples are.

    Raises:
        UserError: If the run holds no model that generates, the images of each class are not to
            be told, or the archive's place holds another archive.
    """
    module, checkpoint = load_hashed(checkpoint_of(config.run))
    if not isinstance(module, SamplingModule):
        raise UserError(
            f"run={config.run}: this model generates no images; give the run of a GAN (model=cgan)"
        )
    counts = images_of_each(config, module)
    total = sum(counts.values())
    settings: dict[str, Any] = {
        "corpus": "generated",
        "checkpoint": checkpoint,
        "seed": config.seed,
        "generated": total,
        "batch_size": config.batch_size,
    }
    if counts != _equal(total, list(counts)):
        settings["counts"] = counts  # not for equal ones: older archives keep their keys
    path = (config.archive or config.run / "generated").expanduser()
    key = digest(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    with archive_lock(path):
        if path.is_dir() and any(path.iterdir()) and not config.force:
            archive = FaceArchive.open(path)
            if archive.key != key:
                raise UserError(
                    f"archive={path} holds other samples; pass force=true to replace them, or "
                    "another archive=DIR"
                )
        else:
            writer = ArchiveWriter(path, key)
            archive = _generate(config, module, counts, writer, settings)
    by_class = ", ".join(f"{name} {number:,}" for name, number in counts.items())
    print(f"{len(archive):,} samples, {archive.manifest['image_size']} pixels: {by_class}")
    with naming(archive.path):
        print(f"preview: {preview(archive)}")
    print(f"archive: {archive.path}")
    return archive


def images_of_each(config: GenerateConfig, module: TrainingModule) -> dict[str, int]:
    """How many images to draw, by class, in the model's order; ``unlabelled`` without classes.

    Raises:
        UserError: If an emotion is not the model's, its checkpoint does not know the training
            images that are asked for, the model has no classes, or none needs any.
    """
    classes = module.classes
    if config.count is not None:
        return _equal(config.count, classes or [UNKNOWN])
    if not classes:
        raise UserError(
            f"run={config.run}: this model knows no emotions, so that counts, fill and ratio say "
            "nothing to it; give count=N, or the run of a model that was trained on one emotion "
            "(data.only=[EMOTION])"
        )
    if config.counts:
        for emotion in config.counts:
            if emotion not in classes:
                raise UserError(
                    f"counts.{emotion}: the model of run={config.run} knows {', '.join(classes)}"
                )
        counts = {name: config.counts.get(name) or 0 for name in classes}
    else:
        trained = _training_images(config, module)
        if config.ratio is not None:
            counts = {name: round(config.ratio * number) for name, number in trained.items()}
        else:
            level = max(trained.values()) if config.fill == "largest" else int(config.fill or 0)
            counts = {name: max(level - number, 0) for name, number in trained.items()}
    if not any(counts.values()):
        raise UserError(
            "no class needs an image by counts, fill or ratio: give more, or count=N for as many "
            "of every class"
        )
    return counts


def _equal(total: int, classes: Sequence[str]) -> dict[str, int]:
    """The same number of each class; what does not divide goes to the first ones."""
    each, rest = divmod(total, len(classes))
    return {name: each + (number < rest) for number, name in enumerate(classes)}


def _training_images(config: GenerateConfig, module: TrainingModule) -> dict[str, int]:
    """Training images by class, from the checkpoint."""
    faces = module.description["faces"]
    counts = faces["counts"]
    if not counts:
        # Written before counts were kept; of balanced batches, all frequencies are 1.
        counts = faces["frequencies"]
        if any(n < 1 or n != int(n) for n in counts) or set(counts) == {1}:
            raise UserError(
                f"run={config.run}: its checkpoint is of an earlier version and does not say how "
                "many training images a class has; give count=N or counts.EMOTION=N"
            )
    return dict(zip(module.classes, map(int, counts), strict=True))


def _generate(
    config: GenerateConfig,
    module: SamplingModule,
    counts: dict[str, int],
    writer: ArchiveWriter,
    settings: dict[str, Any],
) -> FaceArchive:
    """One shard a batch, each with noise of its own, so that a killed job can go on."""
    module.to(chosen_device(config.accelerator))
    each = torch.tensor(list(counts.values()))
    emotions = torch.arange(len(each)).repeat_interleave(each)
    names: Sequence[str | None] = module.classes or [None]
    batches = torch.split(emotions, config.batch_size)
    missing = writer.missing(len(batches))
    with progress_bar(total=len(emotions), desc="Generating", unit="img") as bar:
        bar.update(len(emotions) - sum(len(batches[number]) for number in missing))
        for number in missing:
            batch = batches[number]
            images = module.sample(batch, sample_generator(config.seed, number))
            faces = to_bytes(images).cpu().numpy()
            first = number * config.batch_size
            rows = [
                SourceRow(path=f"generated/{first + i:06d}", emotion=names[e], split="train")
                for i, e in enumerate(batch.tolist())
            ]
            index = index_table(rows, [None] * len(rows))
            write_shard(writer.partial, number, faces, index, excluded_table([]))
            bar.update(len(batch))
    made_from = {
        **settings,
        "counts": counts,
        "run": str(config.run),
        "images_seen": module.images_seen,
        "command": command_line(),
    }
    return writer.publish(len(batches), made_from)
