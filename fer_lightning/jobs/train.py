"""``fer train``: from a configuration to a trained model in a run folder."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import lightning
import torch

from fer_lightning.callbacks.checkpointing import Checkpointing
from fer_lightning.callbacks.divergence import DivergenceGuard
from fer_lightning.callbacks.losses import LossLog
from fer_lightning.callbacks.progress import ImagesBar
from fer_lightning.callbacks.sample_grid import SampleGrid
from fer_lightning.callbacks.stopping import Stopping
from fer_lightning.checkpoints import read_checkpoint
from fer_lightning.config.plain import identity, to_plain
from fer_lightning.config.schema import TrainConfig, TrainerConfig
from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.data.fingerprint import digest
from fer_lightning.errors import UserError
from fer_lightning.loggers import MetricsFile
from fer_lightning.models.base import TrainingModule
from fer_lightning.pictures import loss_curves
from fer_lightning.runs import SCHEMA, RunFolder, command_line, provenance, write_json

CURVES = {
    "g_loss": "generator",
    "d_mean": "discriminator, mean",
    "d_real": "discriminator, real",
    "d_fake": "discriminator, fake",
}


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What ``fer train`` returns.

    Attributes:
        run: The run folder.
        metrics: The newest value of everything logged.
        status: Exit status: 0, or 130 if the user stopped it.
    """

    run: Path
    metrics: Mapping[str, float]
    status: int = 0


def run(config: TrainConfig) -> TrainResult:
    """Prepare what is missing, train, and write the results.

    Raises:
        UserError: For whatever the user can mend; names the key and the remedy.
    """
    _check_devices(config.trainer)
    faces = FaceDataModule(
        config.data, config.detector, config.image_size, config.channels, config.seed
    )
    faces.setup()
    folder = run_folder(config, faces)
    with folder.locked():
        done = None if config.force else folder.results()
        if done is not None and done["images_seen"] >= config.trainer.max_images:
            print(f"this run is finished: {done['images_seen']:,} images seen")
            _print_places(folder)
            return TrainResult(folder.path, done["metrics"])
        folder.start(to_plain(config), config.force)
        lightning.seed_everything(config.seed, verbose=False)
        module: TrainingModule = config.model.build(faces.faces, config.seed)
        return _fit(config, faces, folder, module)


def _check_devices(trainer: TrainerConfig) -> None:
    if trainer.accelerator == "gpu" and not torch.cuda.is_available():
        raise UserError("trainer.accelerator=gpu: there is no CUDA device here; pass cpu or auto")
    if trainer.devices > 1:
        raise UserError(
            f"trainer.devices={trainer.devices}: this version trains on one device; pass 1"
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


def _fit(
    config: TrainConfig, faces: FaceDataModule, folder: RunFolder, module: TrainingModule
) -> TrainResult:
    length = config.trainer
    metrics = MetricsFile(folder.path / "metrics.csv")
    stopping = Stopping(length.max_images)
    checkpointing = Checkpointing(folder.checkpoint, length.checkpoint_images)
    callbacks: list[lightning.Callback] = [
        stopping,
        DivergenceGuard(length.log_images),
        LossLog(length.log_images),
        SampleGrid(folder.samples, length.sample_images, config.seed),
        checkpointing,
    ]
    if length.progress:
        callbacks.append(ImagesBar(length.max_images))
    _log_to(folder.path / "train.log")
    trainer = lightning.Trainer(
        accelerator=length.accelerator,
        devices=1,
        precision=length.precision,  # type: ignore[arg-type]  # checked by Lightning
        max_epochs=-1,
        logger=metrics,
        callbacks=callbacks,
        default_root_dir=folder.path,
        limit_val_batches=0,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    checkpoint = _resume(folder, metrics)
    trainer.fit(module, faces, ckpt_path=checkpoint, weights_only=True)
    loss_curves(metrics.rows(), CURVES, folder.path / "curves.png", folder.path.name)
    return _finish(config, faces, folder, module, stopping, checkpointing, metrics)


def _resume(folder: RunFolder, metrics: MetricsFile) -> Path | None:
    """The checkpoint to go on from, and the log cut back to it."""
    if not folder.checkpoint.is_file():
        metrics.rewind(-1)
        return None
    images_seen = read_checkpoint(folder.checkpoint)["fer"]["images_seen"]
    metrics.rewind(images_seen)
    print(f"resumed at {images_seen:,} images")
    return folder.checkpoint


def _finish(
    config: TrainConfig,
    faces: FaceDataModule,
    folder: RunFolder,
    module: TrainingModule,
    stopping: Stopping,
    checkpointing: Checkpointing,
    metrics: MetricsFile,
) -> TrainResult:
    newest: dict[str, float] = {}
    for row in metrics.rows():
        newest |= {name: float(value) for name, value in row.items() if value}
    newest.pop("images_seen", None)
    if stopping.interrupted and module.images_seen < config.trainer.max_images:
        print(f"stopped at {module.images_seen:,} of {config.trainer.max_images:,} images")
        _print_places(folder)
        print(f"go on with: {command_line()}")
        return TrainResult(folder.path, newest, status=130)
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
    return TrainResult(folder.path, newest)


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
