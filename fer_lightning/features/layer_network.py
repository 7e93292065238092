"""What a layer of a trained network gives, caught by a forward hook."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from fer_lightning.errors import UserError
from fer_lightning.features.layer import LayerFeatureConfig
from fer_lightning.features.network import (
    FeatureNetwork,
    Features,
    as_trained_on,
    exact_convolutions,
)
from fer_lightning.models.base import TrainingModule

SHOWN = 30
"""Layers that a message lists at most; the outermost go first."""


class Layer(FeatureNetwork):
    """Flattened output of one layer of a run's network, in eval mode.

    Faces are resized to the network's size, and turned into its colours. Its weights are those
    that the model looks at faces by; discriminators have no averaged ones.

    Raises:
        UserError: If ``feature.run`` holds no model, or its network no such layer, or one that a
            face does not pass through, or that gives something else than one tensor.
    """

    def __init__(self, config: LayerFeatureConfig) -> None:
        from fer_lightning.checkpoints import load_hashed

        module, checkpoint = load_hashed(config.checkpoint())
        faces: Mapping[str, Any] = module.description["faces"]
        count = _length(module, config.layer, faces)
        super().__init__(config.name, count, config.protocol_of(checkpoint))
        self.module = module
        self.layer = config.layer
        self.faces: Mapping[str, Any] = faces
        self.images_seen = module.images_seen
        self.labelled = module.labelled

    def forward(self, faces: Tensor) -> Features:
        """The layer's values, float32, channel by channel and row by row."""
        if self.module.device != faces.device:  # Lightning notes what it is moved by itself alone
            self.module.to(faces.device)
        values: list[Tensor] = []

        def keep(_: str, given: Tensor) -> None:
            # A layer that works in place may follow.
            values.append(given.detach().reshape(len(faces), -1).to(torch.float32, copy=True))

        with exact_convolutions(), _listening(self.module, [self.layer], keep):
            self.module.perceive(as_trained_on(faces, self.faces))
        (vectors,) = values
        return Features(vectors.contiguous(), None)


def _length(module: TrainingModule, layer: str, faces: Mapping[str, Any]) -> int:
    """How many values the layer gives for a face."""
    # Parametrizations make weights, whatever face there is.
    names = [name for name, _ in module.named_modules() if name and ".parametrizations" not in name]
    lengths: dict[str, list[int | None]] = {}

    def measure(name: str, given: Any) -> None:
        single = isinstance(given, Tensor) and given.dim() > 0 and len(given) == len(blank)
        lengths.setdefault(name, []).append(given[0].numel() if single else None)

    size = faces["image_size"]
    blank = torch.zeros(2, faces["channels"], size, size, device=module.device)
    with _listening(module, names, measure):
        module.perceive(blank)
    reached = {name: found[0] for name, found in lengths.items() if len(found) == 1 and found[0]}
    if count := reached.get(layer):
        return count
    if layer not in names:
        reason = "the network has no such layer"
    elif layer not in lengths:
        reason = "no face passes through this layer"
    elif len(lengths[layer]) > 1:
        reason = f"a face passes {len(lengths[layer])} times through this layer"
    else:
        reason = "this layer does not give one tensor with a row for each face"
    raise UserError(f"feature.layer={layer}: {reason}; {_choices(layer, list(reached))}")


def _choices(layer: str, names: Sequence[str]) -> str:
    """The layers to choose from, a close one first."""
    near = difflib.get_close_matches(layer, names, n=1)
    outermost = sorted(names, key=lambda name: name.count("."))[:SHOWN]
    shown = [name for name in names if name in outermost]
    more = f", … (and {len(names) - len(shown)} within them)" if len(shown) < len(names) else ""
    hint = f"did you mean {near[0]}? " if near else ""
    return f"{hint}A face passes through {', '.join(shown)}{more}"


@contextmanager
def _listening(
    module: TrainingModule, layers: Sequence[str], hear: Callable[[str, Any], None]
) -> Iterator[None]:
    """Within it ``hear`` is told what each of the layers gives."""
    handles = [
        module.get_submodule(name).register_forward_hook(
            lambda _module, _inputs, given, name=name: hear(name, given)
        )
        for name in layers
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
