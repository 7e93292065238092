"""``fer train``: from a configuration to a trained model in a run folder."""

from __future__ import annotations

import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch

from fer_lightning.checkpoints import checkpoint_of, read_checkpoint, read_to_go_on
from fer_lightning.config.plain import identity, to_plain
from fer_lightning.config.schema import TrainConfig
from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.data.domains import DomainDataModule, data_of
from fer_lightning.data.duplicates import leak_warning, seen_in_training
from fer_lightning.data.fingerprint import digest, file_digest
from fer_lightning.devices import can_compile, kept_memory
from fer_lightning.errors import UserError
from fer_lightning.experiments import prepared_run
from fer_lightning.fitting import Watch, log_to
from fer_lightning.launchers.slots import core_count
from fer_lightning.loggers.metrics_file import MetricsFile
from fer_lightning.models.base import TrainingModule
from fer_lightning.models.classifier.config import ClassifierConfig
from fer_lightning.models.config import ModelConfig
from fer_lightning.models.egc_gan.config import EGCGANConfig
from fer_lightning.pictures import loss_curves
from fer_lightning.ranks import leave_group, other_ranks, rank, refuse_other_launchers
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
    "loss": {
        "g_loss": "generator",
        "d_mean": "discriminator, mean",
        "d_real": "discriminator, real",
        "d_fake": "discriminator, fake",
        "loss": "training",
        "val_cross_entropy": "validation",
    },
    "structural similarity": {
        "sample_ssim": "of two samples",
        "real_ssim": "of two real faces",
    },
    "share of images": {
        "train_accuracy": "accuracy, training",
        "val_accuracy": "accuracy, validation",
        "val_macro_f1": "macro F1, validation",
    },
}
"""What ``curves.png`` shows: a panel for each axis, of columns and their names."""


def run(config: TrainConfig) -> JobResult:
    """Prepare what is missing, train, and write the results.

    Raises:
        UserError: For whatever the user can mend; names the key and the remedy.
    """
    refuse_other_launchers()
    check_devices(config)
    _weights(config.model)  # before the faces are cut, which may take hours
    judge = _judge(config.model)
    faces = data_of(config, None if judge is None else _known(judge))
    faces.setup()
    folder = run_folder(config, faces)
    if rank() > 0:  # the first process keeps the folder, prints, and started this one
        result = _fit(config, faces, folder)
        leave_group()
        return result
    if isinstance(faces, DomainDataModule):
        print(faces.summary(), flush=True)
    with folder.locked():
        done = None if config.force else folder.results()
        ended = done is not None and done.get("converged", False)
        if done is not None and (ended or done["images_seen"] >= config.trainer.max_images):
            early = ", when it had nothing more to gain" if ended else ""
            print(f"this run is finished: {done['images_seen']:,} images seen{early}")
            if config.trainer.evaluate_images is not None and done["protocol"] is None:
                print(f"it was not measured: fer evaluate run={folder.path} split=val")
            _print_places(folder)
            return JobResult(folder.path, done["metrics"])
        folder.start(_recorded(config), config.force, faces.archives)
        with folder.noting_failure(), other_ranks(config.trainer.devices, folder.path):
            return _fit(config, faces, folder)


def _judge(model: ModelConfig) -> Path | None:
    """Weights of the frozen classifier in the model's loss, trained first where that is asked for.

    None where there is none.
    """
    if not isinstance(model, EGCGANConfig) or not model.classifier_weight:
        return None
    assert model.classifier is not None  # its configuration has seen to it
    model.classifier = prepared_run(model.classifier, "model.classifier", "classifier")
    return checkpoint_of(model.classifier, "model.classifier")


def _known(judge: Path) -> list[str]:
    """The emotions that a trained classifier tells apart."""
    return list(read_checkpoint(judge)["fer"]["description"]["faces"]["classes"])


def _recorded(config: TrainConfig) -> dict[str, Any]:
    """What ``config.yaml`` says; ``data`` is but the source where there are domains."""
    plain: dict[str, Any] = to_plain(config)
    if config.domains is not None:
        del plain["data"]
    return plain


def check_devices(config: TrainConfig) -> None:
    """Refuse devices that are not there, and batches that they cannot share.

    Raises:
        UserError: Names the key and the remedy.
    """
    trainer, batch_size = config.trainer, config.data.batch_size
    key = "data.batch_size" if config.domains is None else "domains.source.batch_size"
    gpus = torch.cuda.device_count()
    if trainer.accelerator == "gpu" and not gpus:
        raise UserError("trainer.accelerator=gpu: there is no CUDA device here; pass cpu or auto")
    on_cpu = trainer.accelerator == "cpu" or not gpus
    there = core_count() if on_cpu else gpus
    if trainer.devices > there:
        raise UserError(
            f"trainer.devices={trainer.devices}: there are {there} "
            f"{'CPU cores' if on_cpu else 'GPUs'} here"
        )
    if batch_size % trainer.devices:
        raise UserError(
            f"{key}={batch_size} cannot be shared by trainer.devices={trainer.devices}: "
            "give a multiple"
        )
    if isinstance(config.model, ClassifierConfig) and batch_size < 2 * trainer.devices:
        raise UserError(
            f"{key}={batch_size}: batch norm needs two images on each device; give at "
            f"least {2 * trainer.devices}"
        )
    if trainer.sync_batchnorm and on_cpu:
        raise UserError(
            "trainer.sync_batchnorm=true: PyTorch's SyncBatchNorm works on GPUs alone; on CPUs "
            "each process normalises its share of the batch"
        )
    if trainer.compile and not can_compile():
        raise UserError(
            f"trainer.compile={trainer.compile}: PyTorch needs a C++ compiler for it, and there is "
            "none; install g++ or set CXX, or leave trainer.compile out"
        )


def run_folder(config: TrainConfig, faces: FaceDataModule | DomainDataModule) -> RunFolder:
    """The run's folder, named by the hash of what decides its result."""
    plain = identity(config)
    if config.domains is not None:
        plain.pop("data")
    if all(block.archive is not None or block.detector is not None for block in config.blocks):
        plain.pop("detector")  # the job's detector cut nothing
    for key, file in _weights(config.model):
        plain["model"][key] = file_digest(file)
    if (judge := _judge(config.model)) is not None:
        plain["model"]["classifier"] = file_digest(judge)
    plain["archives"] = [archive.key for archive in faces.archives]
    named = [faces] if isinstance(faces, FaceDataModule) else [faces.source, faces.target]
    corpus = "-to-".join(each.archives[0].manifest["corpus"] for each in named)
    name = f"{config.model.name}-{corpus}-{digest(plain)[:8]}-s{config.seed}"
    path = (config.run_dir or Path("multirun") / "train" / name).expanduser()
    return RunFolder(path=path, identity=plain)


def _weights(model: ModelConfig) -> list[tuple[str, Path]]:
    """Files of weights that the model starts from, by key.

    Raises:
        UserError: If one is missing.
    """
    found = []
    for each in fields(model):
        file = getattr(model, each.name) if each.metadata.get("weights") else None
        if file is None:
            continue
        if not file.expanduser().is_file():
            raise UserError(
                f"model.{each.name}={file}: there is no such file; give the path of the weights to "
                "start from"
            )
        found.append((each.name, file.expanduser()))
    return found


def _fit(
    config: TrainConfig, faces: FaceDataModule | DomainDataModule, folder: RunFolder
) -> JobResult:
    """Train on this rank; the first one writes what came of it."""
    log_to(folder.path / ("train.log" if rank() == 0 else f"rank{rank()}.log"))
    seed_globally(config.seed, rank())
    module: TrainingModule = config.model.build(faces.faces, config.seed)
    if config.trainer.compile:
        module.compile_networks(config.trainer.compile)
    watch = Watch.over(config, faces, folder)
    checkpoint = _resume(config, folder, watch.metrics)
    if checkpoint is None:
        module.load_pretrained()
    trainer = watch.trainer(config.trainer, folder)
    watch.window.open()
    status = 1
    try:
        with kept_memory():
            trainer.fit(module, faces, ckpt_path=checkpoint, weights_only=True)
        if rank() > 0:
            return JobResult(folder.path, status=130 if watch.stopping.interrupted else 0)
        rows = watch.metrics.rows()
        curves = loss_curves(rows, CURVES, folder.path / "curves.png", folder.path.name)
        watch.window.log_picture("curves", curves, module.images_seen)
        result = _finish(config, faces, folder, module, watch)
        status = result.status
        return result
    finally:
        watch.window.close(status)


def _resume(config: TrainConfig, folder: RunFolder, metrics: MetricsFile) -> Path | None:
    """The checkpoint to go on from, and the log cut back to it."""
    found = folder.checkpoint if folder.checkpoint.is_file() else None
    if rank() > 0:
        return found
    if found is None:
        metrics.rewind(-1)
        return None
    saved = read_to_go_on(found)["fer"]
    metrics.rewind(saved["images_seen"])
    print(f"resumed at {saved['images_seen']:,} images", flush=True)
    ranks, devices = len(saved["random"]), config.trainer.devices
    if ranks != devices:
        print(
            f"fer: warning: this run was trained on {ranks} devices and goes on with {devices}: "
            "its noise, and the shares that batch norm sees, are others",
            file=sys.stderr,
        )
    on_cpu = config.trainer.accelerator == "cpu" or not torch.cuda.is_available()
    if on_cpu and saved["threads"] != torch.get_num_threads():
        print(
            f"fer: warning: this run was trained with {saved['threads']} threads and goes on with "
            f"{torch.get_num_threads()}; its weights will differ in the last bits from those of "
            f"an uninterrupted run (OMP_NUM_THREADS={saved['threads']} avoids that)",
            file=sys.stderr,
        )
    return found


def _finish(
    config: TrainConfig,
    faces: FaceDataModule | DomainDataModule,
    folder: RunFolder,
    module: TrainingModule,
    watch: Watch,
) -> JobResult:
    newest = dict(watch.losses.newest)
    measured = None if watch.evaluator is None else watch.evaluator.last
    if measured is not None:
        newest |= measured.metrics
    ended = module.converged or module.images_seen >= config.trainer.max_images
    if watch.stopping.interrupted and not ended:
        print(f"stopped at {module.images_seen:,} of {config.trainer.max_images:,} images")
        _print_places(folder)
        print(f"go on with: {command_line()}")
        return JobResult(folder.path, newest, status=130)
    seen = seen_in_training(faces, faces)
    write_json(
        folder.results_file,
        {
            "schema": SCHEMA,
            "job": "train",
            "command": command_line(),
            "metrics": newest,
            "protocol": None if measured is None else measured.protocol,
            "images_seen": module.images_seen,
            "measured_images": module.measured_images,
            "converged": module.converged,
            "seconds": round(watch.checkpointing.seconds, 3),
            "seed": config.seed,
            "device": str(module.trainer.strategy.root_device),
            "devices": config.trainer.devices,
            "threads": torch.get_num_threads(),
            "parameters": {
                name: count
                for name, child in module.named_children()
                if (count := sum(p.numel() for p in child.parameters()))
            },
            "archives": [archive.record for archive in faces.archives],
            "classes": dict(zip(module.classes, faces.class_counts, strict=True)),
            **_of_domains(faces),
            "near_duplicates": seen,
            **provenance(),
        },
    )
    warning = leak_warning(seen)
    if warning:
        print(warning, file=sys.stderr)
    _print_places(folder)
    return JobResult(folder.path, newest)


def _of_domains(faces: FaceDataModule | DomainDataModule) -> dict[str, Any]:
    """What the results say of two domains; ``classes`` counts the source's images."""
    people = faces.people
    drawn = {} if not people else {"people": people}
    if isinstance(faces, FaceDataModule):
        return drawn
    return {
        "target_classes": dict(zip(faces.classes, faces.target.class_counts, strict=True)),
        "excluded_classes": faces.exclusions,
        **drawn,
    }


def _print_places(folder: RunFolder) -> None:
    grids = sorted(folder.samples.glob("*.png"))
    if grids:
        print(f"samples: {grids[-1]}")
    if (folder.path / "curves.png").is_file():
        print(f"curves:  {folder.path / 'curves.png'}")
    print(f"run:     {folder.path}")
