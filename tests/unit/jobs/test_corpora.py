"""`fer corpora` says what can be read, and on which terms."""

from __future__ import annotations

import pytest

from fer_lightning.cli import main
from fer_lightning.jobs.corpora import summary
from fer_lightning.registry import corpora


def test_every_corpus_is_listed_with_its_facts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["corpora"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 130
    for name in corpora.builtin:
        corpus = corpora.load(name)
        (first,) = [number for number, line in enumerate(lines) if line.split(" ")[0] == name]
        if corpus.facts is None:
            assert lines[first] == f"{name.ljust(11)}  {summary(corpus)}"
        else:
            rest = lines[first + 1 :]
            end = next(n for n, line in enumerate(rest) if not line.startswith(" ")) + first + 1
            places = [lines[0].index(title) for title in ("images", "emotions", "terms")]
            images, _, terms = (
                " ".join(
                    " ".join(
                        line[place:].split("  ")[0].strip() for line in lines[first:end]
                    ).split()
                )
                for place in places
            )
            assert images == corpus.facts.images
            assert terms == corpus.facts.terms


@pytest.mark.parametrize("name", [*corpora.builtin])
def test_one_is_described_in_full(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    corpus = corpora.load(name)
    assert main(["corpora", f"corpus={name}"]) == 0
    printed = capsys.readouterr().out
    assert summary(corpus) in " ".join(printed.split())
    if corpus.facts is not None:
        assert corpus.facts.terms in printed
        assert corpus.facts.source.startswith("http")
        assert corpus.facts.source in printed


def test_a_typo_is_answered_with_the_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["corpora", "corpus=fer2012"]) == 2
    assert "did you mean 'fer2013'?" in capsys.readouterr().err
