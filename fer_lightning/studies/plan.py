"""Lays a study out into its cells, stage by stage."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fer_lightning.config.study import ARM, SEEDED, Stage, Study
from fer_lightning.errors import UserError
from fer_lightning.studies.cells import EARLIER, Cell, as_overrides, named_in

Axes = Mapping[str, Sequence[Any]]
"""Values by key."""


@dataclass(frozen=True)
class _Plan:
    """What the cells of a stage have in common.

    Attributes:
        name: The stage's name.
        stage: The stage.
        overrides: Those of every cell.
        named: Whether they name an earlier cell.
        axes: Arms and axes besides the study's: taken over, then its own.
        seeded: Whether its cells have a seed.
    """

    name: str
    stage: Stage
    overrides: Sequence[str]
    named: bool
    axes: Axes
    seeded: bool

    def cells(self, study: Study) -> Iterator[Cell]:
        """The stage's cells; the arm varies slowest, the seed fastest."""
        arms = {key: values for key, values in self.axes.items() if key == ARM}
        axes = {**arms, **study.axes, **self.axes}
        own = [*([] if self.named else study.axes), *self.stage.axes]
        seeds: Sequence[int | None] = study.seeds if self.seeded else [None]
        for values, seed in itertools.product(_combinations(axes), seeds):
            drawn = seed if self.stage.seed is None else self.stage.seed
            overrides = [
                *self.overrides,
                *self.stage.arms.get(values.get(ARM, ""), ()),
                *as_overrides({key: values[key] for key in own}),
                *([f"seed={drawn}"] if self.stage.job in SEEDED else []),
                *([f"logger.group={study.name}"] if self.stage.job == "train" else []),
            ]
            yield Cell(self.name, self.stage.job, seed, values, overrides)


def cells_of(study: Study, train: Sequence[str]) -> list[Cell]:
    """All cells of a study, stage by stage.

    The study's axes are overrides of the stages whose own overrides name no earlier cell. A stage
    that does takes their values over from there, and with them the arms and axes that only the
    named stage has. A stage without a seed that names no seeded cell has one cell for all seeds.

    Args:
        study: The study.
        train: Overrides added to every training stage.

    Raises:
        UserError: If a stage names one that does not come before it, or several of its cells.
    """
    plans: dict[str, _Plan] = {}
    for name, stage in study.stages.items():
        plans[name] = _plan(name, stage, train if stage.job == "train" else (), study, plans)
    return [cell for plan in plans.values() for cell in plan.cells(study)]


def _plan(
    name: str, stage: Stage, train: Sequence[str], study: Study, earlier: Mapping[str, _Plan]
) -> _Plan:
    overrides = [*stage.overrides, *train]
    named = named_in(overrides)
    varied = named_in(
        [o for bundle in stage.arms.values() for o in bundle]
        + [o for values in _combinations(stage.axes) for o in as_overrides(values)]
    )
    for wanted in (*named, *varied):
        if wanted not in earlier:
            raise UserError(
                f"study.stages.{name}: {EARLIER}{wanted} names no stage before it; "
                f"there are {', '.join(earlier) or 'none'}"
            )
    taken = _taken_over(name, named, earlier)
    for wanted in varied:
        if earlier[wanted].axes and earlier[wanted].axes != taken:
            raise UserError(
                f"study.stages.{name}: {EARLIER}{wanted} could be any of several cells, since "
                f"{wanted} has {_listed(earlier[wanted].axes)} of its own; make a stage of each"
            )
    return _Plan(
        name=name,
        stage=stage,
        overrides=overrides,
        named=bool(named),
        axes=_with_own(name, stage, taken, study),
        seeded=_seeded(name, stage, [w for w in (*named, *varied) if earlier[w].seeded]),
    )


def _seeded(name: str, stage: Stage, varied: Sequence[str]) -> bool:
    """Whether a stage has a cell for each seed, given those that it names and that have."""
    if stage.seed is None:
        return stage.job in SEEDED or bool(varied)
    if varied:
        raise UserError(
            f"study.stages.{name}.seed={stage.seed}: it names {varied[0]}, which is run with every "
            "seed of the study; leave seed out"
        )
    return False


def _taken_over(name: str, named: Sequence[str], earlier: Mapping[str, _Plan]) -> Axes:
    """Arms and axes of the stages that a stage names: those of one, or the same of several."""
    having = [wanted for wanted in named if earlier[wanted].axes]
    for other in having[1:]:
        if earlier[other].axes != earlier[having[0]].axes:
            raise UserError(
                f"study.stages.{name}: {having[0]} has {_listed(earlier[having[0]].axes)} of its "
                f"own and {other} has {_listed(earlier[other].axes)}: their cells do not pair; "
                "name one of them, or give both the same"
            )
    return earlier[having[0]].axes if having else {}


def _with_own(name: str, stage: Stage, taken: Axes, study: Study) -> Axes:
    """Arms and axes that are taken over, and the stage's own."""
    axes = dict(taken)
    if ARM not in taken:
        axes |= {ARM: list(stage.arms)} if stage.arms else {}
    elif unknown := [arm for arm in stage.arms if arm not in taken[ARM]]:
        raise UserError(
            f"study.stages.{name}.arms: {unknown[0]} is no arm of the stage that it names; there "
            f"are {', '.join(taken[ARM])}"
        )
    for key, values in stage.axes.items():
        if key in axes or key in study.axes:
            raise UserError(
                f"study.stages.{name}.axes: {key} is an axis of the study or of the stage that it "
                "names already; leave it out"
            )
        axes[key] = values
    return axes


def _listed(axes: Axes) -> str:
    return " and ".join("arms" if key == ARM else f"the axis {key}" for key in axes)


def _combinations(axes: Axes) -> list[dict[str, Any]]:
    """One mapping for every combination of the axes' values."""
    return [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]
