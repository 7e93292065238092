"""Two data blocks side by side: where faces come from, and what they are to look like."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from omegaconf import MISSING

from fer_lightning.data.corpora.base import Corpus
from fer_lightning.errors import UserError


@dataclass(kw_only=True)
class DomainsConfig:
    """The two domains between which a model translates.

    Each is a data block like any other. A batch has the size that the source block says, and its
    classes are balanced as that says; target faces are drawn to match.

    Attributes:
        source: Faces to translate; an epoch goes through its training part.
        target: Faces of the domain that they are carried into.
    """

    source: Corpus = MISSING
    target: Corpus = MISSING

    def __post_init__(self) -> None:
        for place, block in self.places():
            if not block.name:
                raise UserError(
                    f"domains.{place} has no corpus: pass data@domains.{place}=NAME, too"
                )
            if block.soft_labels:
                raise UserError(
                    f"domains.{place}.soft_labels=true is for model=classifier; pairs are of one "
                    "class each"
                )
            block.keep_crops()
        own: type[Corpus] = type(self.target)
        for key in ("batch_size", "balance"):
            value = getattr(self.target, key)
            if value != getattr(own, key):
                raise UserError(
                    f"domains.target.{key}={value}: target faces are drawn to match the source's; "
                    f"set domains.source.{key}"
                )

    def places(self) -> Iterator[tuple[str, Corpus]]:
        """``source`` and ``target``, each with its block."""
        yield "source", self.source
        yield "target", self.target
