"""The papers' tables against themselves: what must agree agrees, what is called wrong is wrong."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest
import yaml

from fer_lightning.errors import UserError
from fer_lightning.labels import EMOTION_ACTION_UNITS, EMOTIONS
from fer_lightning.papers import ERRORS, PAPERS, PaperTable, d, lookup, tables
from tests.conftest import REPOSITORY

TABLES = tables()

KEYS = {
    *("A/II", "A/match"),
    *("B/counts", "B/split", "B/balancing", "B/accuracy"),
    *("C/1", "C/2", "C/datasets", "C/classifier"),
    *("D/I", "D/II", "D/III", "D/IV", "D/V", "D/VI", "D/VII", "D/emotion"),
    *(f"D/exp{number}_confusion" for number in range(1, 9)),
    *("D/exp8_lowest", "D/perfect", "D/au7_subset"),
    *("E/I", "E/II", "E/III", "E/IV", "E/V", "E/data", "E/detection"),
}


def column(key: str, name: str, without: tuple[str, ...] = ()) -> list[float]:
    """The printed values of a column."""
    table = TABLES[key]
    rows = [row for row in table.rows if (row, name) in table.values and row not in without]
    return [table.values[row, name] for row in rows]


def value(reference: str) -> float:
    return lookup(reference).value


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def matrix_accuracy(key: str) -> float:
    values = TABLES[key].values
    return 100 * sum(values[name, name] for name in TABLES[key].rows) / sum(values.values())


def rounds(printed: float, exact: float, decimals: int) -> bool:
    """Whether ``exact`` may be printed as ``printed``; a tie may go either way."""
    return abs(printed - exact) <= 0.5 * 10.0**-decimals + 1e-9


def is_share(printed: float, count: float, decimals: int) -> bool:
    """Whether ``count`` is the printed percentage of any whole number."""
    return any(rounds(printed, 100 * count / n, decimals) for n in range(int(count), 2000))


def test_all_tables_are_there_and_complete() -> None:
    assert set(TABLES) == KEYS
    assert set(PAPERS) == set(ERRORS) == set("ABCDE")
    assert [len(ERRORS[paper]) for paper in "ABCDE"] == [7, 10, 9, 23, 16]
    assert sum(len(table.values) for table in TABLES.values()) == 827


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_a_table_says_what_it_is_and_is_filled(table: PaperTable) -> None:
    assert table.title
    assert table.title.endswith(".")
    assert table.unit
    assert table.source
    assert set(table.values) <= {(r, c) for r in table.rows for c in table.columns}
    assert {row for row, _ in table.values} == set(table.rows)
    assert {name for _, name in table.values} == set(table.columns)
    assert table.paper in PAPERS


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_printed_cell_has_a_reference_and_every_error_a_footnote(table: PaperTable) -> None:
    for row, name in table.values:
        number = lookup(f"{table.key}/{row}/{name}")
        assert number.value == table.values[row, name]
        assert number.error == table.cell_errors.get((row, name))
    markdown = table.to_markdown()
    for text in (*table.errors, *table.notes, *table.cell_errors.values()):
        assert text in markdown


def test_lookup() -> None:
    number = lookup("A/II/50/G loss")
    assert (number.value, number.unit, number.source) == (1.61, "loss", "paper A, Table II")
    assert value("D/VII/ours/FID") == 22.318
    assert lookup("D/VII/ours/AMT").unit == "%"
    assert "69.40" in str(lookup("D/emotion/E4/accuracy").error)


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("A/II/50", "write paper/table/row/column"),
        ("F/II/50/G loss", "there is no paper 'F'; choose from"),
        ("D/exp1_confusoin/fear/fear", "did you mean 'exp1_confusion'"),
        ("A/ii/50/G loss", "paper A has no table 'ii'; did you mean 'II'"),
        ("A/II/150/G loss", "no row '150'; did you mean '50'"),
        ("A/II/50/g los", "no column 'g los'; did you mean 'G loss'"),
        ("C/2/surprise/after SD", "prints no number there"),
    ],
)
def test_lookup_of_an_unknown_name_leads_to_the_nearest(reference: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        lookup(reference)


def test_tables_need_no_torch() -> None:
    code = (
        "import sys; from fer_lightning import papers; papers.tables(); "
        "assert not {'torch', 'lightning', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_counts_and_shares_sum_to_their_totals() -> None:
    assert sum(column("B/counts", "images", ("total",))) == value("B/counts/total/images") == 35887
    assert sum(column("B/split", "share")) == 100
    for name in TABLES["C/1"].columns:
        total = value(f"C/1/total/{name}")
        assert sum(column("C/1", name, ("total",))) == pytest.approx(total, abs=1e-9), name


def test_the_shares_of_c1_follow_from_its_counts_except_one() -> None:
    wrong = [
        (row, corpus)
        for corpus in ("FACES", "JAFFE")
        for row in TABLES["C/1"].rows
        if (row, f"{corpus} share") in TABLES["C/1"].values
        and not rounds(
            value(f"C/1/{row}/{corpus} share"),
            100 * value(f"C/1/{row}/{corpus} after") / value(f"C/1/total/{corpus} after"),
            2,
        )
    ]
    assert wrong == [("sadness", "FACES")]


def test_the_notes_on_balancing_follow_from_the_counts() -> None:
    target = value("B/balancing/target per class/images")
    missing = [target - count for count in column("B/counts", "images", ("total",))]
    text = " ".join(TABLES["B/balancing"].notes)
    assert f"{sum(missing):,.0f}" in text
    assert all(f"{count:.0f}" in text for count in missing)
    assert f"{target * len(missing):,.0f}" in text


def test_the_notes_on_c2_follow_from_c1_and_c2() -> None:
    rows = [row for row in TABLES["C/2"].rows if row != "mean"]
    counts = [value(f"C/1/{row}/FACES after") + value(f"C/1/{row}/JAFFE after") for row in rows]
    text = " ".join(TABLES["C/2"].notes)
    for name in ("before", "after"):
        rates = column("C/2", name, ("mean",))
        weighted = sum(r * n for r, n in zip(rates, counts, strict=True)) / sum(counts)
        assert f"{mean(rates) + 1e-9:.2f}" in text  # 44.455 is a tie
        assert f"{weighted:.2f}" in text


@pytest.mark.parametrize("key", ["D/II", "D/IV"])
def test_average_aucs_are_the_means_of_their_columns_except_one(key: str) -> None:
    wrong = [
        name
        for name in TABLES[key].columns
        if not rounds(value(f"{key}/average/{name}"), mean(column(key, name, ("average",))), 3)
    ]
    assert wrong == (["E4"] if key == "D/II" else [])


@pytest.mark.parametrize(
    ("number", "per_class"), [(1, 201), (2, 201), (3, 335), (4, 335), (5, 201)]
)
def test_a_confusion_matrix_has_as_many_images_of_each_emotion(number: int, per_class: int) -> None:
    table = TABLES[f"D/exp{number}_confusion"]
    assert set(table.rows) == set(EMOTIONS)
    for row in table.rows:
        assert sum(table.values[row, name] for name in table.columns) == per_class, row
    sums = {sum(column(table.key, name)) for name in table.columns}
    assert sums != {per_class}, "the columns are the predicted class"
    images = TABLES["D/emotion"].values.get((f"E{number}", "images"), 8 * per_class)
    assert sum(table.values.values()) == images


@pytest.mark.parametrize("number", range(1, 6))
def test_accuracies_follow_from_the_matrices_except_one(number: int) -> None:
    exact = matrix_accuracy(f"D/exp{number}_confusion")
    assert rounds(value(f"D/emotion/E{number}/accuracy"), exact, 2) == (number != 4)
    assert f"{exact:.2f} %" in TABLES[f"D/exp{number}_confusion"].notes[1]


@pytest.mark.parametrize(("number", "images"), [(6, 6223), (7, 2447), (8, 1148)])
def test_the_diagonals_give_the_number_of_images(number: int, images: int) -> None:
    table = TABLES[f"D/exp{number}_confusion"]
    assert set(table.values) == {(row, row) for row in table.rows}
    exact = 100 * sum(table.values.values()) / value(f"D/emotion/E{number}/accuracy")
    assert abs(exact - images) < 1
    assert f"{images:,}" in " ".join(TABLES["D/emotion"].notes)


@pytest.mark.parametrize(
    ("dataset", "experiment"), [("RaFD", "E1"), ("SFEW", "E8"), ("KDEF", "E7"), ("RAF", "E6")]
)
def test_table_iii_repeats_the_experiments(dataset: str, experiment: str) -> None:
    assert value(f"D/III/ours/{dataset}") == value(f"D/emotion/{experiment}/accuracy")


def test_table_vi_is_the_one_of_the_labels() -> None:
    table = TABLES["D/VI"]
    for emotion in table.rows:
        units = tuple(int(name[2:]) for name in table.columns if (emotion, name) in table.values)
        assert units == EMOTION_ACTION_UNITS[emotion]
    for name in table.columns:
        positives = f"{name} {201 * len(column('D/VI', name))}"
        assert any(positives + end in table.notes[1] for end in (",", "."))
    assert table.columns == tuple(row for row in TABLES["D/IV"].rows if row != "average")


def test_table_v_counts_the_images_of_the_dataset_tested_on() -> None:
    sizes = {"Enhanced CK": 8422, "RaFD": value("D/emotion/E1/images")}
    for experiment, setup in d.AU_EXPERIMENTS.items():
        assert value(f"D/V/{experiment}/test images") == sizes[setup.rpartition("on ")[2]]


def test_rafd_is_people_emotions_gazes_and_angles() -> None:
    people, emotions = value("D/I/RaFD/participants"), value("D/I/RaFD/emotions")
    assert people * emotions * 3 * 5 == value("D/I/RaFD/images")
    assert people * emotions * 3 == value("D/emotion/E1/images")
    assert people * emotions * 5 == value("D/emotion/E3/images")


def counts_contradict(reference: str) -> bool:
    counts = column("B/counts", "images", ("total",))
    true = {"all after": sum(min(9000, n) for n in counts), "smallest class": min(counts)}
    return value(reference) != true[reference.split("/")[2]]


def accuracies_differ(reference: str) -> bool:
    others = {"Fig. 6.1", "Fig. 6.2", "baseline"} - {reference.split("/")[2]}
    return all(value(reference) != value(f"B/accuracy/{row}/accuracy") for row in others)


def mean_of_c2_is_none(reference: str) -> bool:
    rates = column("C/2", reference.split("/")[3], ("mean",))
    return abs(mean(rates) - value(reference)) > 1


def excluded_with_neutral(reference: str) -> bool:
    corpus = reference.split("/")[2]
    original, after = (value(f"C/1/total/{corpus} {when}") for when in ("original", "after"))
    missing = {"FACES": 180, "JAFFE": 3}[corpus]
    with_neutral = 100 * missing / value(f"C/datasets/{corpus}/images")
    without = 100 * (original - after) / original
    return rounds(value(reference), with_neutral, 2) and not rounds(value(reference), without, 2)


def faces_has_five_emotions(reference: str) -> bool:
    used = [n for n in column("C/1", "FACES original", ("total",)) if n > 0]
    return len(used) == 5 != value(reference)


def fewer_were_classified(reference: str) -> bool:
    number = {"RAF-DB": 6, "KDEF": 7}[reference.split("/")[2]]
    correct = sum(TABLES[f"D/exp{number}_confusion"].values.values())
    return 100 * correct / value(f"D/emotion/E{number}/accuracy") < 0.6 * value(reference)


def swapped_in_the_text(reference: str) -> bool:
    emotion = reference.split("/")[2]
    (other,) = {"happiness", "sadness"} - {emotion}
    correct = value(f"D/exp8_confusion/{emotion}/{emotion}")
    swapped = value(f"D/exp8_lowest/{other}/share")
    return is_share(value(reference), correct, 1) and not is_share(swapped, correct, 1)


def sadness_is_never_perfect(reference: str) -> bool:
    emotion = reference.split("/")[2]
    for number in (1, 2, 5):
        values = TABLES[f"D/exp{number}_confusion"].values
        diagonal = values[emotion, emotion]
        for axis in (0, 1):
            if diagonal == sum(n for cell, n in values.items() if cell[axis] == emotion):
                return False
    return True


def one_detector_has_three_aucs(_: str) -> bool:
    scores = {e: {value(f"D/IV/AU{unit}/{e}") for unit in (7, 23, 24)} for e in ("E2", "E6")}
    return len(scores["E2"]) > 1 == len(scores["E6"])


def average_of_e_v_is_none(reference: str) -> bool:
    name = reference.split("/")[3]
    return not rounds(value(reference), mean(column("E/V", name, ("average",))), 2)


def combined_columns_are_one(_: str) -> bool:
    first, second = (column("E/V", f"Combined {name}") for name in ("RetinaFace", "MTCNN"))
    return first == second


CHECKS: dict[str, Callable[[str], bool]] = {
    "B/balancing/all after/images": counts_contradict,
    "B/balancing/smallest class/images": counts_contradict,
    "B/accuracy/Fig. 6.1/accuracy": accuracies_differ,
    "B/accuracy/Fig. 6.2/accuracy": accuracies_differ,
    "B/accuracy/baseline/accuracy": accuracies_differ,
    "C/1/sadness/FACES share": lambda r: not rounds(value(r), 100 * 317 / 1542, 2),
    "C/2/mean/before": mean_of_c2_is_none,
    "C/2/mean/after": mean_of_c2_is_none,
    "C/datasets/FACES/excluded": excluded_with_neutral,
    "C/datasets/JAFFE/excluded": excluded_with_neutral,
    "C/datasets/FACES/emotions": faces_has_five_emotions,
    "D/I/RAF-DB/images": fewer_were_classified,
    "D/I/KDEF/images": fewer_were_classified,
    "D/emotion/E4/accuracy": lambda r: abs(matrix_accuracy("D/exp4_confusion") - value(r)) > 9,
    "D/II/average/E4": lambda r: mean(column("D/II", "E4", ("average",))) - value(r) > 0.007,
    "D/exp8_lowest/happiness/share": swapped_in_the_text,
    "D/exp8_lowest/sadness/share": swapped_in_the_text,
    "D/perfect/sadness/share": sadness_is_never_perfect,
    "D/IV/AU7/E2": one_detector_has_three_aucs,
    "D/IV/AU23/E2": one_detector_has_three_aucs,
    "D/IV/AU24/E2": one_detector_has_three_aucs,
    "D/VII/pix2pixHD/IS": lambda r: value(r) < 1,
    "D/VII/ours/FID": lambda r: value(r) > 12.84 > min(column("D/VII", "FID")),
    "E/IV/GANmut MTCNN/VGGNet": lambda r: value(r) < 1 / 9,
    **{f"E/V/average/{name}": average_of_e_v_is_none for name in TABLES["E/V"].columns},
    **{
        f"E/V/{row}/Combined {detector}": combined_columns_are_one
        for row in ("real", "fake")
        for detector in ("RetinaFace", "MTCNN")
    },
}

FROM_OUTSIDE = {
    "B/accuracy/augmented/accuracy",
    "C/classifier/classifier/validation accuracy",
    "D/I/CelebA/images",
    "D/I/CK+/participants",
    "D/VII/ours/SSIM",
    "E/data/AffectNet/images",
}
"""Errors that no other number of the paper shows."""


def test_every_known_error_is_checked() -> None:
    known = {f"{t.key}/{row}/{name}" for t in TABLES.values() for row, name in t.cell_errors}
    assert known == set(CHECKS) | FROM_OUTSIDE
    assert not set(CHECKS) & FROM_OUTSIDE


@pytest.mark.parametrize("reference", CHECKS)
def test_a_known_error_is_one(reference: str) -> None:
    assert lookup(reference).error
    assert CHECKS[reference](reference)


def test_disgust_and_happiness_are_the_perfect_ones() -> None:
    assert not sadness_is_never_perfect("D/perfect/disgust/share")
    assert not sadness_is_never_perfect("D/perfect/happiness/share")


def test_no_other_inception_score_or_smoothness_is_impossible() -> None:
    assert sum(score < 1 for score in column("D/VII", "IS")) == 1
    rough = [score for name in TABLES["E/IV"].columns for score in column("E/IV", name)]
    assert sum(score < 1 / 9 for score in rough) == 1


def test_each_number_of_paper_e_stands_beside_its_arm_and_judge() -> None:
    study = yaml.safe_load((REPOSITORY / "conf" / "study" / "paper_e.yaml").read_text())
    found = {name: keys["paper"] for name, keys in study["metrics"].items() if "paper" in keys}
    wanted: dict[str, dict[str, str]] = {}
    for arm in study["stages"]["ganmut"]["arms"]:
        data, _, cut = arm.rpartition("_")
        data = {"aff_wild2": "Aff-Wild2", "combined": "Combined"}[data]
        detector = {"mtcnn": "MTCNN", "retinaface": "RetinaFace"}[cut]
        table = {"mtcnn": "II", "retinaface": "I"}[cut]
        for number, judge in ((1, "VGGNet"), (2, "ResNet")):
            for metric, reference in (
                ("macro_f1", f"{table}/{judge}/{data}"),
                ("macro_f1_real", f"{table}/{judge}/real"),
                ("fed", f"III/{data} {detector}/{judge}"),
                ("smoothness", f"IV/{data} {detector}/{judge}"),
            ):
                wanted.setdefault(f"{metric}_{number}", {})[arm] = f"E/{reference}"
        for metric, row in (("", "average"), ("_real", "real"), ("_fake", "fake")):
            wanted.setdefault(f"critic_f1{metric}", {})[arm] = f"E/V/{row}/{data} {detector}"
    assert found == wanted
    for stage in ("judges_retinaface", "judges_mtcnn"):
        networks = study["stages"][stage]["axes"]["model.network"]
        assert networks == ["vgg16", "resnet50"]  # in this order, so the first is …_1


def test_retinaface_is_worse_in_two_pairs_of_fed() -> None:
    worse = [
        (model, name)
        for model in ("Aff-Wild2", "Combined", "GANmut")
        for name in ("VGGNet", "ResNet")
        if value(f"E/III/{model} RetinaFace/{name}") > value(f"E/III/{model} MTCNN/{name}")
    ]
    assert worse == [("Combined", "VGGNet"), ("GANmut", "VGGNet")]


def test_the_comparison_of_e1_and_e2_is_as_noted() -> None:
    assert value("D/II/average/E2") > value("D/II/average/E1")
    assert value("D/emotion/E2/accuracy") < value("D/emotion/E1/accuracy")
