"""Tables of paper E: GANmut trained on other data and with other face detectors."""

from __future__ import annotations

from fer_lightning.papers.table import PaperTable

CITATION = (
    "Surani, GANmut: Generating and Modifying Facial Expressions, arXiv 2406.11079, on d'Apolito "
    "et al., GANmut, CVPR 2021"
)

ERRORS: tuple[str, ...] = (
    "Eq. 8 subtracts the gradient penalty: it must be added.",
    "The conclusion calls models with higher FED and smoothness better: lower is better.",
    "The text draws rho from U[0,1]; the code from U[0.2,1], or U[0,0.2] for neutral, with five "
    "random directions a batch.",
    "Eq. 7 takes the cycle's condition from the discriminator's coordinates of the input; the "
    "code's default is an approximation.",
    "The real classification loss of Fig. 5 is the one of fakes; AffNet is AffectNet.",
    "RetinaFace is cited by a paper on speech.",
    "Averages of Table V are not the means of their rows, and both combined columns have the same "
    "scores, which looks like a copy: recompute.",
    "A smoothness of 0.054 is below the minimum of 1/9 for rising curves: their definition or "
    "averaging differs from the text's.",
    "RetinaFace is said to give the better FED: false for VGGNet with the combined data (31.34 "
    "against 24.23) and with GANmut (27.74 against 26.50), true elsewhere.",
    "The combined data with MTCNN score above real images (F1 0.58 against 0.50): fakes that suit "
    "the classifier, no error in itself.",
    "The classifier was trained on AffectNet as RAF-DB overfits, yet FED is said to improve on "
    "changing to RAF-DB.",
    "Image resolutions are promised, only 128 is used.",
    "AffectNet is given about 1 million images: about 0.45 million are labelled by hand, 0.29 "
    "million of them in eight classes.",
    "A lower discriminator F1 means a better generator only near equilibrium; a badly placed "
    "threshold gives the same.",
    "RetinaFace finds only half of AffectNet's faces, so the detectors differ in data and not "
    "only in crops.",
    "The discriminator is described as a sigmoid classifier: it is a Wasserstein critic.",
)

CODE_ERRORS: tuple[str, ...] = (
    "The root solver builds the 3-D Gaussian model where the 2-D one is asked for.",
    "The solver in core takes the fake's coordinates for the original cycle.",
    "The decay of the learning rate does next to nothing.",
    "λ_d_strength, n_r_g and architecture_v2 are unused.",
    "Boolean flags read any text as true.",
    "The class loss always skips five samples, whatever n_r_l is.",
    "Seven classes are fixed in the covariance.",
    "Some paths use the Gaussian means without tanh.",
    "Slices of the 3-D covariance overlap.",
    "Random 3-D directions fall in the positive octant only.",
    "A slip in the order of arguments changes the warp's interpolation.",
    "Instance norm stays in training mode at inference.",
    "Images are BGR.",
    "The approximate cycle samples in training mode.",
    "Only the second part of a path in the CSV file is used.",
)
"""Known errors of the official GANmut code, which are none of the paper's."""

_MODELS = ("real", "Combined", "Aff-Wild2", "GANmut original")
_LEGEND = {
    "real": "real images",
    "Combined": "GANmut trained on Aff-Wild2 and AffectNet",
    "Aff-Wild2": "GANmut trained on Aff-Wild2",
    "GANmut original": "the official generator",
}

TABLE_I = PaperTable.of(
    paper="E",
    name="I",
    title="Average F1 of a classifier on edited faces cut by RetinaFace; higher is better.",
    unit="1",
    source="Table I",
    columns=_MODELS,
    rows={
        "VGGNet": (0.28, 0.32, 0.18, 0.26),
        "ResNet": (0.47, 0.44, 0.18, 0.33),
    },
    legend=_LEGEND,
)

TABLE_II = PaperTable.of(
    paper="E",
    name="II",
    title="Average F1 of a classifier on edited faces cut by MTCNN; higher is better.",
    unit="1",
    source="Table II",
    columns=_MODELS,
    rows={
        "VGGNet": (0.34, 0.44, 0.22, 0.38),
        "ResNet": (0.50, 0.58, 0.27, 0.48),
    },
    legend=_LEGEND,
    notes=(
        "The combined model with ResNet scores above real images (0.58 against 0.50): fakes that "
        "suit the classifier, no error in itself.",
    ),
)

TABLE_III = PaperTable.of(
    paper="E",
    name="III",
    title="FED, a Fréchet distance on features of a classifier of emotions; lower is better.",
    unit="1",
    source="Table III",
    columns=("VGGNet", "ResNet"),
    rows={
        "Aff-Wild2 RetinaFace": (35.96, 8.0),
        "Aff-Wild2 MTCNN": (106.9, 18.7),
        "Combined RetinaFace": (31.34, 6.5),
        "Combined MTCNN": (24.23, 9.9),
        "GANmut RetinaFace": (27.74, 6.6),
        "GANmut MTCNN": (26.50, 11.08),
    },
    notes=("Compare only within one classifier: features differ in number and scale.",),
    errors=(
        "The conclusion calls models with higher FED better: lower is better.",
        "RetinaFace is said to give the better FED: false for VGGNet with the combined data and "
        "with GANmut, true in the other four pairs.",
    ),
)

TABLE_IV = PaperTable.of(
    paper="E",
    name="IV",
    title="Smoothness of the change of an emotion with its intensity; lower is better.",
    unit="1",
    source="Table IV",
    columns=("VGGNet", "ResNet"),
    rows={
        "Aff-Wild2 RetinaFace": (0.726, 0.124),
        "Aff-Wild2 MTCNN": (0.165, 0.643),
        "Combined RetinaFace": (0.335, 0.45),
        "Combined MTCNN": (0.376, 0.382),
        "GANmut RetinaFace": (0.427, 0.38),
        "GANmut MTCNN": (0.054, 0.36),
    },
    errors=("The conclusion calls models with higher smoothness better: lower is better.",),
    cell_errors={
        ("GANmut MTCNN", "VGGNet"): "Below 1/9, the least that a rising curve of ten points can "
        "have: their definition or averaging differs from the text's.",
    },
)

_COPIED = "Both combined columns print the same scores, which looks like a copy: recompute."

TABLE_V = PaperTable.of(
    paper="E",
    name="V",
    title="F1 of the discriminator; lower is harder to tell apart.",
    unit="1",
    source="Table V",
    columns=(
        "Aff-Wild2 RetinaFace",
        "Aff-Wild2 MTCNN",
        "Combined RetinaFace",
        "Combined MTCNN",
    ),
    rows={
        "average": (0.26, 0.44, 0.14, 0.14),
        "real": (0.28, 0.35, 0.32, 0.32),
        "fake": (0.37, 0.55, 0.09, 0.09),
    },
    errors=(
        "A lower score means a better generator only near equilibrium; a badly placed threshold "
        "gives the same.",
        "The critic is a Wasserstein critic, whose scores have no natural 0.",
    ),
    cell_errors={
        ("average", "Aff-Wild2 RetinaFace"): "The mean of real and fake is 0.325: recompute.",
        ("average", "Aff-Wild2 MTCNN"): "The mean of real and fake is 0.45: recompute.",
        ("average", "Combined RetinaFace"): "The mean of real and fake is 0.205: recompute.",
        ("average", "Combined MTCNN"): "The mean of real and fake is 0.205: recompute.",
        **{
            (row, f"Combined {detector}"): _COPIED
            for row in ("real", "fake")
            for detector in ("RetinaFace", "MTCNN")
        },
    },
)

DATA = PaperTable.of(
    paper="E",
    name="data",
    title="Sizes of the training data.",
    unit="images",
    source="text on the data",
    columns=("videos", "images"),
    column_units={"videos": "videos"},
    rows={
        "Aff-Wild2": (245, None),
        "Combined": (None, 270_000),
        "AffectNet": (None, 1_000_000),
    },
    legend={
        "Aff-Wild2": "its training part",
        "Combined": "Aff-Wild2 and AffectNet, about so many",
        "AffectNet": "given as about 1 million",
    },
    cell_errors={
        ("AffectNet", "images"): "About 0.45 million are labelled by hand, 0.29 million of them "
        "in eight classes.",
    },
)

DETECTION = PaperTable.of(
    paper="E",
    name="detection",
    title="Faces of AffectNet that RetinaFace finds, by its threshold.",
    unit="%",
    source="text on the data",
    columns=("found",),
    rows={"default": (16,), "0.1": (50,)},
    notes=("A threshold of 0.4 was tried in between; no share is given.",),
    errors=(
        "Half of AffectNet is lost with RetinaFace, so the detectors differ in data and not only "
        "in crops.",
    ),
)

TABLES: tuple[PaperTable, ...] = (
    TABLE_I,
    TABLE_II,
    TABLE_III,
    TABLE_IV,
    TABLE_V,
    DATA,
    DETECTION,
)
