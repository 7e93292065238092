"""``fer train``: from a configuration to a trained model in a run folder."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from pathlib import Path

import lightning
import torch

from fer_lightning.callbacks.agreement import SameRun
from fer_lightning.callbacks.checkpointing import Checkpointing
from fer_lightning.callbacks.divergence import DivergenceGuard
from fer_lightning.callbacks.losses import LossLog
from fer_lightning.callbacks.progress import ImagesBar
from fer_lightning.callbacks.sample_grid import SampleGrid
from fer_lightning.callbacks.stopping import Stopping
from fer_lightning.checkpoints import read_checkpoint
from fer_lightning.config.plain import identity, to_plain
from fer_lightning.config.schema import TrainConfig
from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.data.fingerprint import digest
from fer_lightning.errors import UserError
from fer_lightning.features.base import FeatureConfig
from fer_lightning.features.pixels import PixelsConfig
from fer_lightning.loggers.metrics_file import MetricsFile
from fer_lightning.loggers.wandb_mirror import WandbMirror
from fer_lightning.models.base import TrainingModule
from fer_lightning.pictures import loss_curves
from fer_lightning.ranks import other_ranks, rank
from fer_lightning.rng import seed_globally
from fer_lightning.runs import (
    SCHEMA,
    JobResult,
    RunFolder,
    command_line,
    provenance,
    write_json,
)

CURVES = {
    "g_loss": "generator",
    "d_mean": "discriminator, mean",
    "d_real": "discriminator, real",
    "d_fake": "discriminator, fake",
}


def run(config: TrainConfig) -> JobResult:
    """Prepare what is missing, train, and write the results.

    Raises:
        UserError: For whatever the user can mend; names the key and the remedy.
    """
    check_devices(config)
    faces = FaceDataModule(
        config.data, config.detector, config.image_size, config.channels, config.seed
    )
    faces.setup()
    folder = run_folder(config, faces)
    if rank() > 0:  # the first process keeps the folder, prints, and started this one
        return _fit(config, faces, folder)
    with folder.locked():
        done = None if config.force else folder.results()
        if done is not None and done["images_seen"] >= config.trainer.max_images:
            print(f"this run is finished: {done['images_seen']:,} images seen")
            _print_places(folder)
            return JobResult(folder.path, done["metrics"])
        folder.start(to_plain(config), config.force, faces.archives)
        with other_ranks(config.trainer.devices, folder.path):
            return _fit(config, faces, folder)


def check_devices(config: TrainConfig) -> None:
    """Refuse devices that are not there, and batches that they cannot share.

    Raises:
        UserError: Names the key and the remedy.
    """
    trainer, batch_size = config.trainer, config.data.batch_size
    gpus = torch.cuda.device_count()
    if trainer.accelerator == "gpu" and not gpus:
        raise UserError("trainer.accelerator=gpu: there is no CUDA device here; pass cpu or auto")
    on_cpu = trainer.accelerator == "cpu" or not gpus
    there = os.cpu_count() or 1 if on_cpu else gpus
    if trainer.devices > there:
        raise UserError(
            f"trainer.devices={trainer.devices}: there are {there} "
            f"{'CPU cores' if on_cpu else 'GPUs'} here"
        )
    if batch_size % trainer.devices:
        raise UserError(
            f"data.batch_size={batch_size} cannot be shared by trainer.devices={trainer.devices}: "
            "give a multiple"
        )
    if trainer.sync_batchnorm and on_cpu:
        raise UserError(
            "trainer.sync_batchnorm=true: PyTorch's SyncBatchNorm works on GPUs alone; on CPUs "
            "each process normalises its share of the batch"
        )


def run_folder(config: TrainConfig, faces: FaceDataModule) -> RunFolder:
    """The run's folder, named by the hash of what decides its result."""
    plain = identity(config)
    if config.data.archive is not None or config.data.detector is not None:
        plain.pop("detector")  # the job's detector cut nothing
    plain["archives"] = [archive.key for archive in faces.archives]
    corpus = faces.archives[0].manifest["corpus"]
    name = f"{config.model.name}-{corpus}-{digest(plain)[:8]}-s{config.seed}"
    path = (config.run_dir or Path("multirun") / "train" / name).expanduser()
    return RunFolder(path=path, identity=plain)


def _fit(config: TrainConfig, faces: FaceDataModule, folder: RunFolder) -> JobResult:
    seed_globally(config.seed, rank())
    module: TrainingModule = config.model.build(faces.faces, config.seed)
    length = config.trainer
    metrics = MetricsFile(folder.path / "metrics.csv")
    stopping = Stopping(length.max_images)
    checkpointing = Checkpointing(folder.checkpoint, length.checkpoint_images)
    callbacks: list[lightning.Callback] = [
        SameRun(digest([folder.identity, length.max_images])),
        stopping,
        DivergenceGuard(length.log_images, length.max_images),
        LossLog(length.log_images, length.max_images),
        SampleGrid(folder.samples, length.sample_images, config.seed),
        checkpointing,
    ]
    if length.evaluate_images is not None:
        from fer_lightning.metrics.evaluator import Evaluator
        callbacks.append(
            Evaluator(
                faces, "val", _features(config), config.evaluation, length.evaluate_images
            )
        )
    if length.progress:
        callbacks.append(ImagesBar(length.max_images))
    _log_to(folder.path / ("train.log" if rank() == 0 else f"rank{rank()}.log"))
    checkpoint = _resume(folder, metrics)
    window = WandbMirror(folder, config.logger, to_plain(config), metrics)
    trainer = lightning.Trainer(
        accelerator=length.accelerator,
        devices=length.devices,
        strategy="auto" if length.devices == 1 else "ddp_find_unused_parameters_true",
        sync_batchnorm=length.sync_batchnorm,
        precision=length.precision,  # type: ignore[arg-type]  # checked by Lightning
        max_epochs=-1,
        logger=[metrics, window],
        callbacks=callbacks,
        default_root_dir=folder.path,
        limit_val_batches=0,
        use_distributed_sampler=False,  # our loader shares its batches itself
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    window.open()
    status = 1
    try:
        trainer.fit(module, faces, ckpt_path=checkpoint, weights_only=True)
        status = 130 if stopping.interrupted else 0
        if rank() > 0:
            return JobResult(folder.path, status=status)
        curves = loss_curves(metrics.rows(), CURVES, folder.path / "curves.png", folder.path.name)
        window.log_picture("curves", curves, module.images_seen)
        return _finish(config, faces, folder, module, stopping, checkpointing, metrics)
    finally:
        window.close(status)


def _features(config: TrainConfig) -> list[FeatureConfig]:
    return [PixelsConfig()] if config.feature is None else [config.feature]


def _resume(folder: RunFolder, metrics: MetricsFile) -> Path | None:
    """The checkpoint to go on from, and the log cut back to it."""
    found = folder.checkpoint if folder.checkpoint.is_file() else None
    if rank() > 0:
        return found
    if found is None:
        metrics.rewind(-1)
        return None
    saved = read_checkpoint(found)["fer"]
    metrics.rewind(saved["images_seen"])
    print(f"resumed at {saved['images_seen']:,} images")
    if saved["threads"] != torch.get_num_threads():
        print(
            f"fer: warning: this run was trained with {saved['threads']} threads and goes on with "
            f"{torch.get_num_threads()}; on a CPU its weights will differ in the last bits from "
            f"those of an uninterrupted run (OMP_NUM_THREADS={saved['threads']} avoids that)",
            file=sys.stderr,
        )
    return found


def _finish(
    config: TrainConfig,
    faces: FaceDataModule,
    folder: RunFolder,
    module: TrainingModule,
    stopping: Stopping,
    checkpointing: Checkpointing,
    metrics: MetricsFile,
) -> JobResult:
    newest: dict[str, float] = {}
    for row in metrics.rows():
        newest |= {name: float(value) for name, value in row.items() if value}
    newest.pop("images_seen", None)
    if stopping.interrupted and module.images_seen < config.trainer.max_images:
        print(f"stopped at {module.images_seen:,} of {config.trainer.max_images:,} images")
        _print_places(folder)
        print(f"go on with: {command_line()}")
        return JobResult(folder.path, newest, status=130)
    write_json(
        folder.results_file,
        {
            "schema": SCHEMA,
            "job": "train",
            "metrics": newest,
            "images_seen": module.images_seen,
            "seconds": round(checkpointing.seconds, 3),
            "seed": config.seed,
            "device": str(module.trainer.strategy.root_device),
            "devices": config.trainer.devices,
            "threads": torch.get_num_threads(),
            "parameters": {
                name: sum(p.numel() for p in child.parameters())
                for name, child in module.named_children()
            },
            "archives": [
                {"path": str(archive.path), "key": archive.key, "count": len(archive)}
                for archive in faces.archives
            ],
            "classes": dict(zip(module.classes, faces.class_counts, strict=True)),
            **provenance(),
        },
    )
    _print_places(folder)
    return JobResult(folder.path, newest)


def _print_places(folder: RunFolder) -> None:
    grids = sorted(folder.samples.glob("*.png"))
    if grids:
        print(f"samples: {grids[-1]}")
    if (folder.path / "curves.png").is_file():
        print(f"curves:  {folder.path / 'curves.png'}")
    print(f"run:     {folder.path}")


def _log_to(path: Path) -> None:
    """Lightning's notices go into the run folder: few of them fit a GAN on our own loader."""
    warnings.filterwarnings("ignore", message=".*LeafSpec.*is deprecated.*")
    logging.captureWarnings(True)
    logging.getLogger("matplotlib").setLevel(logging.WARNING)
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    for name in ("lightning.pytorch", "lightning.fabric", "py.warnings"):
        logger = logging.getLogger(name)
        for earlier in logger.handlers:  # another cell's of this sweep
            earlier.close()
        logger.handlers = [handler]
        logger.propagate = False
