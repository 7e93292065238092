"""``fer generate``: draw labelled samples from a trained model into an archive."""

from __future__ import annotations

from typing import cast

import torch

from fer_lightning.checkpoints import checkpoint_of, load_hashed
from fer_lightning.config.schema import GenerateConfig
from fer_lightning.data.archive import FaceArchive, archive_lock
from fer_lightning.data.archive_writer import ArchiveWriter, write_shard
from fer_lightning.data.batch import to_bytes
from fer_lightning.data.corpora.base import SourceRow
from fer_lightning.data.fingerprint import digest
from fer_lightning.data.index import excluded_table, index_table
from fer_lightning.devices import chosen_device
from fer_lightning.errors import UserError, naming
from fer_lightning.models.base import AdversarialModule
from fer_lightning.pictures import preview
from fer_lightning.progress import progress_bar
from fer_lightning.rng import sample_generator
from fer_lightning.runs import command_line


def run(config: GenerateConfig) -> FaceArchive:
    """Generate and print where the samples are.

    Raises:
        UserError: If the run holds no model, or the archive's place another archive.
    """
    module, checkpoint = load_hashed(checkpoint_of(config.run))
    settings = {
        "corpus": "generated",
        "checkpoint": checkpoint,
        "seed": config.seed,
        "generated": config.count,
        "batch_size": config.batch_size,
    }
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
            archive = _generate(config, cast(AdversarialModule, module), writer, settings)
    print(f"{len(archive):,} samples, {archive.manifest['image_size']} pixels")
    with naming(archive.path):
        print(f"preview: {preview(archive)}")
    print(f"archive: {archive.path}")
    return archive


def _generate(
    config: GenerateConfig,
    module: AdversarialModule,
    writer: ArchiveWriter,
    settings: dict[str, object],
) -> FaceArchive:
    """One shard a batch, each with noise of its own, so that a killed job can go on."""
    module.to(chosen_device(config.accelerator))
    emotions = torch.arange(config.count).remainder(len(module.classes)).sort().values
    batches = torch.split(emotions, config.batch_size)
    missing = writer.missing(len(batches))
    with progress_bar(total=config.count, desc="Generating", unit="img") as bar:
        bar.update(config.count - sum(len(batches[number]) for number in missing))
        for number in missing:
            batch = batches[number]
            images = module.sample(batch, sample_generator(config.seed, number))
            faces = to_bytes(images).cpu().numpy()
            first = number * config.batch_size
            rows = [
                SourceRow(
                    path=f"generated/{first + i:06d}", emotion=module.classes[e], split="train"
                )
                for i, e in enumerate(batch.tolist())
            ]
            index = index_table(rows, [None] * len(rows))
            write_shard(writer.partial, number, faces, index, excluded_table([]))
            bar.update(len(batch))
    made_from = {
        **settings,
        "run": str(config.run),
        "images_seen": module.images_seen,
        "command": command_line(),
    }
    return writer.publish(len(batches), made_from)
