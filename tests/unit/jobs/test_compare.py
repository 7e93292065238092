"""The job puts the parts together and refuses what cannot be compared."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from PIL import Image

from fer_lightning.config.study import CompareConfig
from fer_lightning.errors import UserError
from fer_lightning.jobs.compare import run
from tests.helpers.detected import detected_archive
from tests.helpers.results import cell, make_evaluation, make_run, make_study, tiny_study

BETTER = {True: [1.0, 2.1, 2.9], False: [3.0, 4.0, 5.0]}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def rows(out: Path) -> list[dict[str, str]]:
    with (out / "results.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_study_is_compared_with_its_baseline(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny_study(tmp_path, BETTER, metrics={"fid": {"higher": False}})
    out = Path("made/out")
    assert run(CompareConfig(study_run="tiny", out=out)).path == out
    found = rows(out)
    assert [row["model.spectral_norm"] for row in found] == ["true", "false"]
    assert [float(row["fid_mean"]) for row in found] == [2.0, 4.0]
    assert float(found[1]["fid_sd"]) == 1.0
    assert [(row["fid_n"], row["seeds"], row["images_seen"]) for row in found] == [
        ("3", "0 1 2", "100")
    ] * 2
    assert "fid/anger_mean" not in found[0]
    text = (out / "comparison.md").read_text()
    assert "lower (better)" in text
    assert "- study: `fer study study=tiny`\n" in text
    assert "seed 1: `multirun/train/r-True-1`, trained by `fer train x`\n" in text
    printed = capsys.readouterr().out.splitlines()
    assert printed[-1] == "comparison: made/out/comparison.html"
    assert any(line.startswith("| spectral_norm=true ") for line in printed)
    assert sorted(p.name for p in out.iterdir()) == [
        "comparison.html",
        "comparison.md",
        "comparison.png",
        "comparison.tex",
        "results.csv",
    ]


def test_the_commands_baseline_and_metrics_win(tmp_path: Path) -> None:
    tiny_study(tmp_path, BETTER, metrics={"fid": {"higher": False}})
    config = CompareConfig(
        study_run="tiny", out=Path("o"), baseline="model.spectral_norm=true", metrics=["fid/anger"]
    )
    run(config)
    text = Path("o/comparison.md").read_text()
    assert "## Differences from model.spectral_norm=true" in text
    assert "| fid/anger | spectral_norm=false " in text
    assert "fid_mean" not in rows(Path("o"))[0]


def test_classes_stand_in_the_file_alone(tmp_path: Path) -> None:
    tiny_study(tmp_path, BETTER)
    run(CompareConfig(study_run="tiny", out=Path("o")))
    assert float(rows(Path("o"))[0]["fid/anger_mean"]) == 3.0
    text = Path("o/comparison.md").read_text()
    assert "fid/anger" not in text
    assert "Numbers of single classes stand in results.csv" in text


def test_missing_seeds_leave_the_pairs_and_are_said(tmp_path: Path) -> None:
    folder = tiny_study(tmp_path, {True: [1.0, 2.1], False: BETTER[False]})
    text = (folder / "study.json").read_text().rstrip("}").rstrip("]")
    lost = cell("train", "train", 2, {"model.spectral_norm": True}, None, "failed", "diverged")
    (folder / "study.json").write_text(f"{text}, {json.dumps(lost)}]}}")
    run(CompareConfig(study_run=str(folder), out=Path("o")))
    page = Path("o/comparison.md").read_text()
    assert "fid: only one has seeds 2; left out." in page
    assert "| train: model.spectral_norm=True seed=2 | failed | diverged |" in page


def test_runs_of_two_models(tmp_path: Path) -> None:
    runs = [make_run(tmp_path / f"a{s}", s, name="a", depth=1) for s in (0, 1)]
    runs += [make_run(tmp_path / f"b{s}", s, name="b", width=2) for s in (0, 1)]
    for i, folder in enumerate(runs):
        make_evaluation(folder, {"fid": float(i)})
    run(CompareConfig(runs=runs, out=Path("o")))
    found = rows(Path("o"))
    assert [(r["model.name"], r["model.depth"], r["model.width"]) for r in found] == [
        ("a", "1", ""), ("b", "", "2")
    ]  # fmt: skip
    assert [float(r["fid_mean"]) for r in found] == [0.5, 2.5]
    assert "Differences" not in Path("o/comparison.md").read_text()
    run(CompareConfig(runs=runs, out=Path("o"), baseline="model.name=a"))
    page = Path("o/comparison.md").read_text()
    assert "they also differ in model.depth, model.width." in page


def test_one_run_alone_is_a_table(tmp_path: Path) -> None:
    run(CompareConfig(runs=[make_run(tmp_path / "r", epochs={2: 0.5})], out=Path("o"),
                      metrics=["epoch_g_loss@2", "g_loss@9"]))  # fmt: skip
    (row,) = rows(Path("o"))
    assert (row["epoch_g_loss@2_mean"], row["epoch_g_loss@2_sd"]) == ("0.5", "")
    assert (row["g_loss@9_mean"], row["g_loss@9_n"]) == ("", "0")
    assert "No run has measured g_loss@9." in Path("o/comparison.md").read_text()


def test_seeds_of_unequal_lengths_are_said(tmp_path: Path) -> None:
    runs = [make_run(tmp_path / f"{s}", s, images_seen=100 + s) for s in (0, 1)]
    run(CompareConfig(runs=runs, out=Path("o")))
    page = Path("o/comparison.md").read_text()
    assert "100 to 101" in page
    assert "all runs: the seeds have seen different numbers of images." in page


def test_runs_of_unequal_lengths_get_no_verdict(tmp_path: Path) -> None:
    runs = []
    for width, length in ((4, 208), (8, 400)):
        for seed in (0, 1, 2):
            runs.append(make_run(tmp_path / f"{width}{seed}", seed, None, length, width=width))
            make_evaluation(
                runs[-1], {"fid": 100 / width + seed * (width + 1) / 100}, "test", length
            )
    config = CompareConfig(runs=runs, out=Path("o"), baseline="model.width=4", metrics=["fid"])
    run(config)
    page = Path("o/comparison.md").read_text()
    assert "| different lengths |" in page
    assert "| lower" not in page
    assert "width=8 minus width=4: the runs of seeds 0, 1, 2 differ in images seen" in page
    assert "have seen different numbers of images (208, 400)" in page


def test_lengths_that_are_compared_get_a_verdict(tmp_path: Path) -> None:
    runs = [
        make_run(tmp_path / f"{n}-{s}", s, {"g_loss": n + s * 1.01}, n)
        for n in (10, 20)
        for s in (0, 1)
    ]
    for folder in runs[2:]:
        text = (folder / "results.json").read_text()
        (folder / "results.json").write_text(text.replace("21.01", "21.0"))
    run(CompareConfig(runs=runs, out=Path("o"), baseline="images_seen=10"))
    page = Path("o/comparison.md").read_text()
    assert "| higher" in page
    assert "different" not in page


def test_an_unknown_metric_lists_no_classes(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "r")
    names = ("density", "density/anger", "density/fear", "coverage[val]", "coverage/fear[val]")
    make_evaluation(folder, dict.fromkeys(names, 1.0))
    with pytest.raises(UserError, match=r"measured fid; there are g_loss, density, coverage$"):
        run(CompareConfig(runs=[folder], out=tmp_path / "o", metrics=["fid"]))


def test_mistakes(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    done = make_run(tmp_path / "r")
    for out in (file, file / "below"):
        with pytest.raises(UserError, match="is a file"):
            run(CompareConfig(runs=[done], out=out))
    begun = make_run(tmp_path / "begun", finished=False)
    with pytest.raises(UserError, match=r"no finished run.*\n.*begun"):
        run(CompareConfig(runs=[begun], out=tmp_path / "o"))
    with pytest.raises(UserError, match="did you mean g_loss"):
        run(CompareConfig(runs=[done], out=tmp_path / "o", metrics=["g_los"]))
    make_study(Path("multirun/study/tiny-01234567"), [])
    with pytest.raises(UserError, match="no finished run"):
        run(CompareConfig(study_run="tiny", out=tmp_path / "o"))
    assert not (tmp_path / "o").exists()


def test_archives_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = detected_archive(tmp_path / "a", {"happiness": (50, 1), "disgust": (20, 10)})
    second = detected_archive(
        tmp_path / "b", {"happiness": (50, 0), "disgust": (20, 1)}, "viola_jones"
    )
    out = Path("made/out")
    assert run(CompareConfig(archives=[first.path, second.path], out=out)).path == out
    found = rows(out)
    assert [(r["name"], r["disgust_found"]) for r in found] == [
        ("mtcnn", "10"), ("viola_jones", "19")
    ]  # fmt: skip
    printed = capsys.readouterr().out.splitlines()
    assert printed[-1] == "comparison: made/out/comparison.md"
    assert printed[0].split() == ["|", "|", "mtcnn", "|", "viola_jones", "|"]
    assert any(line.startswith("mtcnn loses most of disgust (10 of 20") for line in printed)
    text = (out / "comparison.md").read_text()
    assert "## The same images: mtcnn and viola_jones" in text
    assert "not counted, they were made from the same images." in text
    assert sorted(p.name for p in out.iterdir()) == [
        "comparison.md",
        "comparison.png",
        "results.csv",
    ]


def test_copies_between_archives_are_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = detected_archive(tmp_path / "a", {"fear": (10, 0)})
    second = detected_archive(tmp_path / "b", {"fear": (4, 0)}, "viola_jones", source="others")
    run(CompareConfig(archives=[first.path, second.path], out=Path("o")))
    with Image.open("o/near_duplicates-1.png") as sheet:
        assert sheet.mode == "RGB"
    told = "near-duplicates of mtcnn in viola_jones: o/near_duplicates-1.png"
    assert told in capsys.readouterr().out.splitlines()
    run(CompareConfig(archives=[first.path, second.path], out=Path("p"), pictures=False))
    assert not list(Path("p").glob("near_duplicates-*"))


def test_one_archive_alone_is_its_classes(tmp_path: Path) -> None:
    archive = detected_archive(tmp_path / "a", {"happiness": (50, 1), "disgust": (20, 10)})
    run(CompareConfig(archives=[archive.path], out=Path("o")))
    text = Path("o/comparison.md").read_text()
    assert text.startswith("# mtcnn\n")
    assert "| disgust   | 50.0 % [29.9, 70.1] 10 / 20" in text
    assert "Near-duplicates" not in text


def test_mistakes_with_archives(tmp_path: Path) -> None:
    archive = detected_archive(tmp_path / "a", {"happiness": (5, 1)})
    unfinished = tmp_path / "b.partial"
    unfinished.mkdir()
    for path, told in (
        (tmp_path / "nowhere", "nowhere is no face archive: choose"),
        (tmp_path / "b", "b is no face archive .an unfinished one lies beside it"),
        (make_run(tmp_path / "r"), "is no face archive: its manifest.json is of something else"),
        (archive.path, "is there twice"),
    ):
        with pytest.raises(UserError, match=told):
            run(CompareConfig(archives=[archive.path, path], out=tmp_path / "o"))
    assert not (tmp_path / "o").exists()
    for further in ({"runs": [tmp_path]}, {"study_run": "tiny"}):
        with pytest.raises(UserError, match="give either study=NAME or runs="):
            CompareConfig(archives=[archive.path], out=tmp_path / "o", **further)  # type: ignore[arg-type]
    for further in ({"metrics": ["fid"]}, {"baseline": "a=b"}):
        with pytest.raises(UserError, match="not for archives="):
            CompareConfig(archives=[archive.path], out=tmp_path / "o", **further)  # type: ignore[arg-type]


def arms_study(root: Path) -> None:
    """Three arms, of which one stands on what the study itself has made."""
    cells = []
    scores = {"more": [0.71, 0.72, 0.74], "real": [0.6, 0.62, 0.63], "weights": [0.6, 0.6, 0.64]}
    for arm, values in scores.items():
        for seed, score in enumerate(values):
            made = [f"{arm}{seed}"] if arm == "more" else []
            run = make_run(root / f"{arm}{seed}", seed, archives=["faces", *made], kind=arm)
            file = make_evaluation(run, {"accuracy": score, "recall/fear": score / 2})
            overrides = ["data.extra=[cell:generate]"] if arm == "more" else []
            cells.append(cell("train", "train", seed, {"arm": arm}, run) | {"overrides": overrides})
            cells.append(cell("evaluate", "evaluate", seed, {"arm": arm}, file))
    bundles = {"more": ["data.extra=[cell:generate]"], "real": [], "weights": ["w=true"]}
    make_study(
        Path("multirun/study/tiny-0123abcd"),
        cells,
        axes={},
        baseline={"arm": "real"},
        compare="train",
        stages={"train": {"job": "train", "arms": bundles}, "evaluate": {"job": "evaluate"}},
        metrics={"accuracy": {"higher": True}, "recall/*": {"higher": True}},
    )


def test_arms_are_compared_by_name(tmp_path: Path) -> None:
    arms_study(tmp_path)
    run(CompareConfig(study_run="tiny", out=Path("o")))
    assert [row["arm"] for row in rows(Path("o"))] == ["real", "more", "weights"]
    text = Path("o/comparison.md").read_text()
    assert "| every arm | " in text
    (more,) = (x for x in text.splitlines() if x.startswith("| accuracy ") and "more" in x)
    assert "| higher (better) " in more
    assert "| recall/fear | weights " in text
    assert "kind" not in text  # what the arms' runs differ in is said by their overrides
    assert "## Notes" not in text
    assert sorted(p.name for p in Path("o").iterdir()) == [
        "comparison.html",
        "comparison.md",
        "comparison.png",
        "comparison.tex",
        "differences.png",
        "results.csv",
    ]
    run(CompareConfig(study_run="tiny", out=Path("p"), baseline="arm=weights"))
    assert "## Differences from arm=weights" in Path("p/comparison.md").read_text()
