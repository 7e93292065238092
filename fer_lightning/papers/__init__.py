"""Every table of the five papers as data: value, unit, where it is printed, what is wrong with it.

One module a paper. Values stand as the papers print them, mistakes included; each known mistake
is a text beside its table or cell. What a paper does not print is absent, and numbers that were
worked out from printed ones stand in notes and error texts only.

A reference names one number by paper, table, row and column: ``lookup("D/VII/ours/FID")``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from fer_lightning.errors import UserError
from fer_lightning.papers import a, b, c, d, e
from fer_lightning.papers.table import PaperNumber, PaperTable, suggest

__all__ = ["ERRORS", "PAPERS", "PaperNumber", "PaperTable", "lookup", "tables"]

PAPERS: Mapping[str, str] = MappingProxyType(
    {"A": a.CITATION, "B": b.CITATION, "C": c.CITATION, "D": d.CITATION, "E": e.CITATION}
)
"""Letter to citation."""

ERRORS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"A": a.ERRORS, "B": b.ERRORS, "C": c.ERRORS, "D": d.ERRORS, "E": e.ERRORS}
)
"""Letter to the known contradictions and errors of the paper, each with its resolution."""

_TABLES = {table.key: table for table in (*a.TABLES, *b.TABLES, *c.TABLES, *d.TABLES, *e.TABLES)}


def tables() -> dict[str, PaperTable]:
    """Every table by its key, such as ``"A/II"``, in the order of the papers."""
    return dict(_TABLES)


def lookup(reference: str) -> PaperNumber:
    """The number that a reference names.

    Args:
        reference: Paper, table, row and column, such as ``"A/II/50/G loss"``.

    Raises:
        UserError: If it has other than four parts, or names nothing; lists the nearest names.
    """
    parts = [part.strip() for part in reference.split("/")]
    if len(parts) != 4:
        raise UserError(
            f"{reference!r} is no reference to a paper's number: "
            "write paper/table/row/column, as in 'A/II/50/G loss'"
        )
    paper, name, row, column = parts
    if paper not in PAPERS:
        raise UserError(f"{reference}: there is no paper {paper!r}; choose from {list(PAPERS)}")
    names = {table.name: table for table in _TABLES.values() if table.paper == paper}
    if name not in names:
        hint = suggest(name, names)
        raise UserError(f"{reference}: paper {paper} has no table {name!r}; {hint}")
    return names[name].cell(row, column)
