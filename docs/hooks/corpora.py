"""Writes the table of published datasets from what their classes say of them.

A MkDocs hook: it replaces the line ``<!-- published corpora -->`` of the page ``corpora.md``.
"""

from __future__ import annotations

from typing import Any

from fer_lightning.registry import corpora

PAGE, MARK = "corpora.md", "<!-- published corpora -->"


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Put the table where the page has its mark (called by MkDocs)."""
    return markdown.replace(MARK, table()) if page.file.src_uri == PAGE else markdown


def table() -> str:
    """A line for each published dataset, linked to its keys."""
    lines = [
        "| `data=` | dataset | images | emotions | action units | people | terms |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in corpora.builtin:
        facts = corpora.load(name).facts
        if facts is not None:
            link = f"[`{name}`](reference/configuration.md#data-{name})"
            people = "" if facts.subjects is None else f"{facts.subjects:,}"
            title = f"[{facts.title}]({facts.source})"
            cells = (link, title, facts.images, facts.emotions, facts.action_units, people)
            lines.append(f"| {' | '.join(cells)} | {facts.terms} |")
    return "\n".join(lines)
