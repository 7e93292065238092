"""What ``fer benchmark`` takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from omegaconf import MISSING

from fer_lightning.config.schema import FaceConfig
from fer_lightning.errors import UserError
from fer_lightning.models.config import ModelConfig
from fer_lightning.models.ganmut.config import GANmutConfig
from fer_lightning.registry import benchmarks

ALL = "all"
"""Every benchmark there is."""
LEAST = 100
"""Images that ``growth`` needs, for a batch of 64 has to fit into the training part."""
FEWEST = 80
"""Vectors that ``probe`` needs: one of each of eight classes in each of ten folds."""

NARROW = 16
"""Width of ``ganmut``'s networks where another model is given: a fourth of the official one."""


@dataclass(kw_only=True)
class BenchmarkConfig(FaceConfig):
    """``fer benchmark``: pieces of work beside what one would otherwise do.

    Attributes:
        benchmark: ``feed``, ``detect``, ``train``, ``ganmut``, ``metrics``, ``probe``,
            ``startup``, ``compare`` or ``growth``; ``all`` is each of them.
        model: The model of ``train``; that of ``ganmut`` if it is ``ganmut``.
        photographs: Folder of photographs for ``detect``, searched through; None draws some.
        rounds: How often each way is timed, all in turn; medians are reported.
        seconds: Length of a round of ``train`` and of ``ganmut``, about.
        counts: Numbers of drawn images for ``growth``.
        vectors: Feature vectors for ``probe``; paper D has 1,608 of 8,192 values.
        runs: Made-up runs for ``compare``.
        out: Folder to write; None is ``multirun/benchmark/<benchmark>``.
    """

    benchmark: str = ALL
    model: ModelConfig = MISSING
    photographs: Path | None = None
    rounds: int = 5
    seconds: float = 10.0
    counts: list[int] = field(default_factory=lambda: [1_000, 10_000, 100_000])
    vectors: int = 1608
    runs: int = 500
    out: Path | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        known = [ALL, *benchmarks.names()]
        if self.benchmark not in known:
            near = get_close_matches(self.benchmark, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"choose from {', '.join(known)}"
            raise UserError(f"benchmark={self.benchmark}: there is no such benchmark; {hint}")
        if self.model.translates:
            raise UserError(
                f"model={self.model.name} trains on two domains, and the benchmarks have one; give "
                "another model"
            )
        self.model.check(self.image_size)
        if "ganmut" in self.names:
            self.editor.check(self.image_size)
        if self.photographs is not None and not self.photographs.expanduser().is_dir():
            raise UserError(f"photographs={self.photographs}: there is no such folder")
        if self.rounds < 1:
            raise UserError(f"rounds={self.rounds}: give at least 1")
        if not self.seconds > 0:
            raise UserError(f"seconds={self.seconds}: give a number above 0")
        rising = sorted(set(self.counts)) == self.counts
        if len(self.counts) < 3 or not rising or self.counts[0] < LEAST:
            raise UserError(f"counts={self.counts}: give three or more, rising, from {LEAST} on")
        if self.vectors < FEWEST:
            raise UserError(f"vectors={self.vectors}: give at least {FEWEST}")
        if self.runs < 1:
            raise UserError(f"runs={self.runs}: give at least 1")

    @property
    def editor(self) -> GANmutConfig:
        """The model of ``ganmut``: :attr:`model`, or a narrow one as deep as the images allow."""
        if isinstance(self.model, GANmutConfig):
            return self.model
        halvings = (self.image_size & -self.image_size).bit_length() - 1
        depth = min(max(halvings, 2), GANmutConfig.depth)
        return GANmutConfig(generator_width=NARROW, discriminator_width=NARROW, depth=depth)

    @property
    def names(self) -> list[str]:
        """The benchmarks to run, in order."""
        return benchmarks.names() if self.benchmark == ALL else [self.benchmark]
