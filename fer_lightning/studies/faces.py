"""Archives that the cells of a study will read, prepared before any of them has run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fer_lightning.checkpoints import checkpoint_of, read_checkpoint
from fer_lightning.config.compose import told_in_place
from fer_lightning.config.evaluate import EvaluateConfig
from fer_lightning.config.generate import GenerateConfig
from fer_lightning.config.plain import from_plain
from fer_lightning.config.probe import ProbeConfig
from fer_lightning.config.schema import PrepareConfig, TrainConfig
from fer_lightning.data.archive import FaceArchive
from fer_lightning.data.corpora.base import Corpus
from fer_lightning.data.datamodule import FaceDataModule, archive_folder
from fer_lightning.data.domains import DomainDataModule, data_of
from fer_lightning.data.fingerprint import digest
from fer_lightning.data.preparation import Recipe, prepare
from fer_lightning.detectors.base import DetectorConfig
from fer_lightning.errors import UserError
from fer_lightning.models.config import ModelConfig
from fer_lightning.prefetched import Prefetched, asked
from fer_lightning.probe.reading import IMAGE_SIZE
from fer_lightning.registry import models
from fer_lightning.studies.inputs import Input, made_by_the_study


@dataclass(frozen=True)
class Made:
    """What a cell will have made, as far as others are prepared by it.

    Attributes:
        size: Side of its faces in pixels.
        channels: Theirs; None for those of whatever corpus.
        model: What was trained; None for faces.
    """

    size: int
    channels: int | None
    model: ModelConfig | None = None


class FaceSupply:
    """Prepares the faces of one cell after another, each archive once.

    Args:
        laid: Where archives are noted by what asks for them.

    Attributes:
        left: What cannot be prepared before other cells have run.
    """

    def __init__(self, laid: Prefetched) -> None:
        self.laid = laid
        self.left: list[str] = []
        self._made: dict[str, Made | None] = {}
        self._done: dict[str, list[Path] | UserError] = {}
        self._given: set[Path] = set()

    def prepare(self, entry: Input) -> Iterator[Path]:
        """Prepare what a cell reads; gives the archives that no cell before it has read.

        Raises:
            UserError: If a source cannot be read, or what is given is not there.
        """
        config, stage = entry.config, entry.cell.stage
        if isinstance(config, PrepareConfig):
            self._made[entry.place] = Made(config.image_size, config.channels)
            recipe = Recipe.of(config.data, config.detector, config.image_size, config.channels)
            yield from self._once([asked(recipe), str(config.archive)], lambda: self._cut(config))
        elif isinstance(config, TrainConfig):
            yield from self._of_training(entry, config)
        elif isinstance(config, GenerateConfig):
            self._made[entry.place] = self.made(config.run)
            self.left.append(f"{stage}: generated faces")
        elif isinstance(config, EvaluateConfig) and config.data is not None:
            if config.detector is not None:  # else the job itself says what is missing
                yield from self._of_run(stage, config.data, config.detector, self.made(config.run))
        elif isinstance(config, ProbeConfig):
            run = getattr(config.space, "run", None)
            network = Made(IMAGE_SIZE, None) if run is None else self.made(run)
            if network is not None:
                size, channels = config.image_size or network.size, config.channels
                network = Made(size, channels or network.channels)
            for place, block in (("fit", config.fit), ("test", config.test)):
                if block is not None:
                    with told_in_place(place, block):
                        yield from self._of_run(stage, block, config.detector, network)

    def made(self, run: Path) -> Made | None:
        """What stands or will stand in a run folder; None if only the study will tell.

        Raises:
            UserError: If a folder that is no cell's holds no run.
        """
        place = str(run)
        if place not in self._made and not made_by_the_study(run):
            saved = read_checkpoint(checkpoint_of(run))["fer"]["description"]
            shape, model = saved["faces"], from_plain(models, saved["model"])
            self._made[place] = Made(shape["image_size"], shape["channels"], model)
        return self._made.get(place)

    def _of_training(self, entry: Input, config: TrainConfig) -> Iterator[Path]:
        """Both domains at once, since they have the same channels; or what is not made later."""
        size, channels = config.image_size, config.channels
        later = [block for block in config.blocks if made_by_the_study(block.archive)]
        for block in later:
            made = self._made.get(str(block.archive))
            channels = channels or (None if made is None else made.channels)
        self._made[entry.place] = Made(size, channels, config.model)
        if later:
            for block in config.blocks:
                if block not in later:
                    yield from self._of_block(block, config.detector, size, channels)
            return
        for block in config.blocks:
            block.extra = [path for path in block.extra if not made_by_the_study(path)]
        key = [_key(block, config.detector, size, channels) for block in config.blocks]
        yield from self._once([*key, channels], lambda: self._module(data_of(config)))
        if channels is None:
            colours = FaceArchive.open(self._results(*key, channels)[0]).shape[3]
            self._made[entry.place] = Made(size, colours, config.model)

    def _of_run(
        self, stage: str, block: Corpus, detector: DetectorConfig, made: Made | None
    ) -> Iterator[Path]:
        """Faces in the shape of a run's."""
        if made is None:
            self.left.append(f"{stage}: faces in the shape of a run that is not there yet")
        elif not made_by_the_study(block.archive):
            yield from self._of_block(block, detector, made.size, made.channels)

    def _of_block(
        self, block: Corpus, detector: DetectorConfig, size: int, channels: int | None
    ) -> Iterator[Path]:
        if block.archive is not None:  # it has the shape that it has
            FaceArchive.open(archive_folder("data.archive", block.archive))
            return
        block.extra = []  # which training alone reads
        faces = FaceDataModule(block, detector, size, channels, 0, [], labelled=False)
        key = [_key(block, detector, size, channels)]
        yield from self._once([*key, channels], lambda: self._module(faces))

    def _cut(self, config: PrepareConfig) -> list[Path]:
        recipe = Recipe.of(config.data, config.detector, config.image_size, config.channels)
        archive = prepare(recipe, config.archive, config.workers)
        self.laid.keep(recipe, archive.path)
        return [archive.path]

    def _module(self, faces: FaceDataModule | DomainDataModule) -> list[Path]:
        faces.prepare_data()
        parts = [faces.source, faces.target] if isinstance(faces, DomainDataModule) else [faces]
        for part in parts:
            if part.data.archive is None:
                recipe = Recipe.of(part.data, part.detector, part.image_size, part.channels)
                self.laid.keep(recipe, part.archives[0].path)
        return [part.archives[0].path for part in parts]

    def _once(self, key: list[Any], work: Callable[[], list[Path]]) -> list[Path]:
        """New archives of ``work``, which is done once; what failed before fails again."""
        name = digest(key)
        if name not in self._done:
            try:
                self._done[name] = work()
            except UserError as error:
                self._done[name] = error
                raise
            new = [path for path in self._results(*key) if path not in self._given]
            self._given.update(new)
            return new
        self._results(*key)
        return []

    def _results(self, *key: Any) -> list[Path]:
        found = self._done[digest(list(key))]
        if isinstance(found, UserError):
            raise found
        return found


def _key(block: Corpus, detector: DetectorConfig, size: int, channels: int | None) -> list[Any]:
    """Equal for blocks that read the same archives."""
    recipe = Recipe.of(block, detector, size, channels)
    return [asked(recipe), str(block.archive), [str(path) for path in block.extra]]
