"""Names of corpora, detectors, models and features, resolved to classes only when they are used.

A registry maps a name to the import path ``module:Class`` of a configuration dataclass. Third
parties add their own through entry points of the group ``fer_lightning.<registry>``; nothing
here has to be edited, and listing names imports no component. Metrics and benchmarks are
functions and have no configuration; the registry of metrics knows those of third parties alone.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from fer_lightning.errors import UserError


@dataclass(frozen=True)
class Registry:
    """A lazily imported table of components.

    Attributes:
        kind: What it lists, in the plural; also the suffix of its entry point group.
        config_group: The Hydra group whose files choose from it; empty where nothing is chosen.
        builtin: Name to ``module:Class`` for the components of this package.
    """

    kind: str
    config_group: str
    builtin: Mapping[str, str]

    @cached_property
    def paths(self) -> dict[str, str]:
        """Name to import path, third parties included; ours win on a clash."""
        foreign = {e.name: e.value for e in entry_points(group=f"fer_lightning.{self.kind}")}
        return foreign | dict(self.builtin)

    @cached_property
    def packages(self) -> dict[str, str]:
        """Name to package and version, such as ``my_faces 1.0``, for what is a third party's."""
        found = entry_points(group=f"fer_lightning.{self.kind}")
        return {
            entry.name: f"{entry.dist.name} {entry.dist.version}"
            for entry in sorted(found, key=lambda entry: entry.name)
            if entry.dist is not None and entry.name not in self.builtin
        }

    def names(self) -> list[str]:
        """All registered names, sorted."""
        return sorted(self.paths)

    def load(self, name: str) -> Any:
        """Import the class called ``name``; of metrics and benchmarks, the function.

        Raises:
            UserError: If no component has that name.
        """
        if name not in self.paths:
            near = difflib.get_close_matches(name, self.paths, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"choose from {self.names()}"
            raise UserError(f"{self.kind}: there is no {name!r}; {hint}")
        module, _, attribute = self.paths[name].partition(":")
        return getattr(import_module(module), attribute)


corpora = Registry(
    "corpora",
    "data",
    {
        "aff_wild2": "fer_lightning.data.corpora.aff_wild2:AffWild2",
        "affectnet": "fer_lightning.data.corpora.affectnet:AffectNet",
        "celeba": "fer_lightning.data.corpora.celeba:CelebA",
        "ck_plus": "fer_lightning.data.corpora.ck_plus:CKPlus",
        "combined": "fer_lightning.data.corpora.combined:Combined",
        "drawn": "fer_lightning.data.corpora.drawn:Drawn",
        "enhanced_ck": "fer_lightning.data.corpora.enhanced_ck:EnhancedCK",
        "faces": "fer_lightning.data.corpora.faces:FACES",
        "fer2013": "fer_lightning.data.corpora.fer2013:FER2013",
        "fer_plus": "fer_lightning.data.corpora.fer_plus:FERPlus",
        "folder": "fer_lightning.data.corpora.folder:Folder",
        "jaffe": "fer_lightning.data.corpora.jaffe:JAFFE",
        "kdef": "fer_lightning.data.corpora.kdef:KDEF",
        "oulu_casia": "fer_lightning.data.corpora.oulu_casia:OuluCASIA",
        "raf_db": "fer_lightning.data.corpora.raf_db:RAFDB",
        "rafd": "fer_lightning.data.corpora.rafd:RaFD",
        "sfew": "fer_lightning.data.corpora.sfew:SFEW",
        "table": "fer_lightning.data.corpora.table:Table",
    },
)
detectors = Registry(
    "detectors",
    "detector",
    {
        "mtcnn": "fer_lightning.detectors.mtcnn:MTCNNConfig",
        "retinaface": "fer_lightning.detectors.retinaface:RetinaFaceConfig",
        "viola_jones": "fer_lightning.detectors.viola_jones:ViolaJonesConfig",
        "whole_image": "fer_lightning.detectors.whole_image:WholeImageConfig",
    },
)
models = Registry(
    "models",
    "model",
    {
        "cgan": "fer_lightning.models.cgan.config:CGANConfig",
        "classifier": "fer_lightning.models.classifier.config:ClassifierConfig",
        "dcgan": "fer_lightning.models.dcgan.config:DCGANConfig",
        "egc_gan": "fer_lightning.models.egc_gan.config:EGCGANConfig",
        "ganmut": "fer_lightning.models.ganmut.config:GANmutConfig",
    },
)
features = Registry(
    "features",
    "feature",
    {
        "classifier": "fer_lightning.features.classifier:ClassifierFeatureConfig",
        "inception": "fer_lightning.features.inception:InceptionConfig",
        "layer": "fer_lightning.features.layer:LayerFeatureConfig",
        "pixels": "fer_lightning.features.pixels:PixelsConfig",
    },
)
metrics = Registry("metrics", "", {})
benchmarks = Registry(
    "benchmarks",
    "",
    {
        "compare": "fer_lightning.benchmarks.compare:measure",
        "detect": "fer_lightning.benchmarks.detect:measure",
        "feed": "fer_lightning.benchmarks.feed:measure",
        "ganmut": "fer_lightning.benchmarks.ganmut:measure",
        "growth": "fer_lightning.benchmarks.growth:measure",
        "metrics": "fer_lightning.benchmarks.metrics:measure",
        "probe": "fer_lightning.benchmarks.probe:measure",
        "startup": "fer_lightning.benchmarks.startup:measure",
        "train": "fer_lightning.benchmarks.train:measure",
    },
)
REGISTRIES = (corpora, detectors, models, features)
"""Those whose components are configured."""
