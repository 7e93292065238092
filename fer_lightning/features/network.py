"""The networks that images are measured by: from uint8 faces to feature vectors."""

from __future__ import annotations

import io
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fer_lightning.data.batch import to_unit_range
from fer_lightning.data.conversion import LUMA, converted
from fer_lightning.errors import UserError
from fer_lightning.features.classifier import ClassifierFeatureConfig
from fer_lightning.features.inception import InceptionConfig
from fer_lightning.features.pixels import PixelsConfig
from fer_lightning.features.weights import inception_weights, read_weights, unusable


class Features(NamedTuple):
    """What a network says of N faces.

    Attributes:
        vectors: float32 of shape (N, d).
        logits: float32 of shape (N, k) where the network classifies, else None.
    """

    vectors: Tensor
    logits: Tensor | None


class FeatureNetwork(nn.Module):
    """Maps faces to vectors; always in eval mode, never trained.

    Args:
        name: Of the feature space; numbers are named after it.
        num_features: d, the length of a vector.
        protocol: What of it decides a number, as :meth:`FeatureConfig.protocol` states it.
    """

    emotions: Sequence[str] = ()
    """What its logits stand for, in their order, where they are emotions."""
    faces: Mapping[str, Any] | None = None
    """``image_size`` and ``channels`` of the faces that it was trained on, where it is ours."""
    images_seen = 0
    """Real images that its run has consumed, where it is ours."""
    labelled = False
    """Whether it is ours and was trained with the labels of its faces."""

    def __init__(self, name: str, num_features: int, protocol: dict[str, Any]) -> None:
        super().__init__()
        self.name = name
        self.num_features = num_features
        self.protocol = protocol

    @abstractmethod
    def forward(self, faces: Tensor) -> Features:
        """Features of faces.

        Args:
            faces: uint8 of shape (N, H, W, C), C 1 (gray) or 3 (RGB).
        """


class Pixels(FeatureNetwork):
    """Gray values in [0, 1] of the image shrunk by area averaging, row by row."""

    def __init__(self, config: PixelsConfig) -> None:
        super().__init__(config.name, config.side**2, config.protocol())
        self.side = config.side

    def forward(self, faces: Tensor) -> Features:
        """Vectors of ``side`` x ``side`` gray values."""
        gray = faces.to(torch.float32) / 255
        if faces.shape[3] == 3:
            gray = gray @ gray.new_tensor(LUMA)[:, None]
        small = F.interpolate(gray.permute(0, 3, 1, 2), (self.side, self.side), mode="area")
        return Features(small.flatten(1), None)


class Inception(FeatureNetwork):
    """Inception-v3 of TensorFlow's FID in torch-fidelity's port (Heusel et al. 2017).

    Vectors are the 2048 pool features; logits are the 1008 ``logits_unbiased``, by which the
    Inception Score is defined (Salimans et al. 2016). Gray faces are shown as RGB.

    Raises:
        FeatureUnavailable: If the weights are nowhere to be had.
        UserError: If the file of weights is damaged or of another network.
    """

    def __init__(self, config: InceptionConfig) -> None:
        path = inception_weights(config.weights)
        super().__init__(config.name, 2048, config.protocol())
        self.network = _inception(path, config.antialias)

    def forward(self, faces: Tensor) -> Features:
        """Pool features and logits."""
        images = faces.permute(0, 3, 1, 2).expand(-1, 3, -1, -1).contiguous()
        with exact_convolutions():
            vectors: Tensor = self.network(images)
        classifier: Tensor = self.network.get_parameter("fc.weight")
        return Features(vectors, vectors @ classifier.T)


class ExpressionClassifier(FeatureNetwork):
    """A trained classifier: what its last layer receives, and its logits.

    Distances between its vectors are the Fréchet Emotion Distance (paper E's FED), the score of
    its logits is IS-FER; both depend on the classifier and hold only beside others of the same.
    Faces are resized to the classifier's size, and turned into its colours.

    Args:
        config: Which classifier.
        key: That its run was given by, for errors.

    Raises:
        UserError: If the run holds no classifier.
    """

    def __init__(self, config: ClassifierFeatureConfig, key: str = "feature.run") -> None:
        from fer_lightning.checkpoints import load_hashed
        from fer_lightning.models.classifier.module import Classifier

        module, checkpoint = load_hashed(config.checkpoint(key))
        if not isinstance(module, Classifier):
            raise UserError(
                f"{key}={config.run} is no classifier; train one by `fer train model=classifier`"
            )
        network = module.best_network
        super().__init__(config.name, network.num_features, config.protocol_of(checkpoint))
        self.network = network
        self.emotions = module.classes
        self.faces: Mapping[str, Any] = module.description["faces"]
        self.images_seen = module.images_seen
        self.labelled = module.labelled

    def forward(self, faces: Tensor) -> Features:
        """Vectors of the layer before the last, and logits."""
        images = as_trained_on(faces, self.faces)
        with exact_convolutions():
            vectors: Tensor = self.network.features(images)
            return Features(vectors.float(), self.network.classify(vectors).float())


def as_trained_on(faces: Tensor, wanted: Mapping[str, Any]) -> Tensor:
    """Faces as a network of ours takes them: in its colours and its size.

    Args:
        faces: uint8 of shape (N, H, W, C), C 1 or 3.
        wanted: ``image_size`` and ``channels`` of what it was trained on.

    Returns:
        float32 of shape (N, C, H, W) in [-1, 1].
    """
    return converted(to_unit_range(faces), wanted["image_size"], wanted["channels"])


@contextmanager
def exact_convolutions() -> Iterator[None]:
    """TF32 would move FID in its fourth digit, and by another amount on another GPU."""
    if not torch.cuda.is_available():
        yield
        return
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        yield


def _inception(path: Path, antialias: bool) -> nn.Module:
    from torchmetrics.image.fid import NoTrainInceptionV3

    # torch-fidelity opens its weights with weights_only=False, which would run a foreign pickle.
    # So it is given a file that we have written ourselves, from what was read safely.
    own = io.BytesIO()
    torch.save(read_weights(path), own)
    own.seek(0)
    with torch.random.fork_rng(devices=[]):  # its initial weights come from the global state
        try:
            network: nn.Module = NoTrainInceptionV3(
                "inception-v3-compat", ["2048"], cast(Any, own), antialias
            )
        except RuntimeError as error:  # keys or shapes differ
            raise unusable(path, "they are of another network") from error
    return network.requires_grad_(False)
