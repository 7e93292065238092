"""What a search goes by: metrics that a job names as its objective."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fer_lightning.errors import UserError


def check_objective(value: Any) -> None:
    """Refuse an ``objective`` that is neither null, nor a name, nor a list of names.

    Raises:
        UserError: If it is not.
    """
    if not all(isinstance(name, str) and name for name in _names(value)):
        raise UserError(
            f"objective={value} names no metric: write objective=NAME, or objective=[NAME,NAME]"
        )


def objectives(value: Any, metrics: Mapping[str, float]) -> tuple[float, ...]:
    """The metrics that ``objective`` names, in its order.

    Args:
        value: Null, a name, or a list of names.
        metrics: What the job measured.

    Raises:
        UserError: If it measured no such metric.
    """
    for name in _names(value):
        if name not in metrics:
            overall = [known for known in metrics if "/" not in known]
            raise UserError(
                f"objective={name}: this job measured no such metric; choose from "
                f"{', '.join(overall)}, or one of a class, such as NAME/happiness"
            )
    return tuple(float(metrics[name]) for name in _names(value))


def _names(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]
