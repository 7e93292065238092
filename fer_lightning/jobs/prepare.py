"""``fer prepare``: cut the faces of a corpus into an archive."""

from __future__ import annotations

from fer_lightning.config.schema import PrepareConfig
from fer_lightning.data.archive import FaceArchive
from fer_lightning.data.preparation import Recipe, prepare
from fer_lightning.pictures import preview


def run(config: PrepareConfig) -> FaceArchive:
    """Prepare the archive and print what became of each class."""
    recipe = Recipe.of(config.data, config.detector, config.image_size, config.channels)
    archive = prepare(recipe, config.archive, config.workers, config.force, show=True)
    print(f"preview: {preview(archive)}")
    print(f"archive: {archive.path}")
    return archive
