"""Numbers of paper B: a CNN on FER-2013, with and without images from a GAN."""

from __future__ import annotations

from fer_lightning.papers.table import PaperTable

CITATION = "Facial Emotion Recognition using GAN, NIT Tiruchirappalli project report, 2024"

ERRORS: tuple[str, ...] = (
    "Passages on skin cancer, skin regions, healthy versus abnormal, EfficientNet and medical "
    "imaging are left over from another text: ignore them.",
    "Four accuracies contradict each other (77.03, 63.39, 63.03, about 85): take 63 as the CNN "
    "baseline, 85 as an unverified claim, and 77.03 as a likely training accuracy.",
    "A cap of 9000 images a class cannot shrink 35,887 images to 3,648, and the smallest class "
    "has 547 images, not 10: ignore 3,648 and 10.",
    "Both trimming and oversampling by the GAN are named as the way to balance: oversample.",
    "The GAN samples from noise without labels, but augmentation needs labels: use a conditional "
    "GAN.",
    "Balancing before splitting lets synthetic images into the test set: balance the training "
    "part only.",
    "Figure numbers 5.5 and 5.6 occur twice; Fig. 6.1 is generated images in the list of figures "
    "and an accuracy curve in the text; the augmentation of Chapter 4 does not exist.",
    "The framework is TensorFlow in one place and TensorFlow or PyTorch in another: we use "
    "PyTorch.",
    "IS, FID, precision, recall, F1 and AUC are named without values: there is nothing to "
    "compare with.",
    "The literature review gives wrong names and years for its references: ignore it.",
)

COUNTS = PaperTable.of(
    paper="B",
    name="counts",
    title="Images of FER-2013 by emotion, all splits together.",
    unit="images",
    source="text on the dataset",
    columns=("images",),
    rows={
        "anger": (4953,),
        "disgust": (547,),
        "fear": (5121,),
        "happiness": (8989,),
        "sadness": (6077,),
        "surprise": (4002,),
        "neutral": (6198,),
        "total": (35887,),
    },
)

SPLIT = PaperTable.of(
    paper="B",
    name="split",
    title="Share of each split, rounded.",
    unit="%",
    source="text on the dataset",
    columns=("share",),
    rows={"train": (80,), "val": (10,), "test": (10,)},
    notes=("The official split (28,709, 3,589 and 3,589 images) has these shares: use it.",),
)

BALANCING = PaperTable.of(
    paper="B",
    name="balancing",
    title="Sizes that the report gives for balancing FER-2013.",
    unit="images",
    source="text on balancing",
    columns=("images",),
    rows={
        "target per class": (9000,),
        "all before": (35887,),
        "all after": (3648,),
        "smallest class": (10,),
    },
    notes=(
        "Recomputed: 9000 in every class needs 27,113 synthetic images (anger 4047, disgust 8453, "
        "fear 3879, happiness 11, sadness 2923, surprise 4998, neutral 2802), 63,000 in all.",
        "Recomputed: balancing the official training part only, to its largest class, needs "
        "21,796 synthetic images, 50,505 in all, and leaks nothing into the test.",
    ),
    cell_errors={
        ("all after", "images"): "A cap of 9000 removes nothing, as the largest class has 8,989 "
        "images: ignore it.",
        ("smallest class", "images"): "The report's own smallest class has 547 images: ignore it.",
    },
)

ACCURACY = PaperTable.of(
    paper="B",
    name="accuracy",
    title="Accuracies that the report claims.",
    unit="%",
    source="Sections 6.2 and 6.3, Figs. 6.1 and 6.2",
    columns=("accuracy",),
    rows={
        "Fig. 6.1": (77.03,),
        "Fig. 6.2": (63.39,),
        "baseline": (63.03,),
        "augmented": (85,),
    },
    legend={
        "Fig. 6.1": "Section 6.2, average of the CNN-based model over training",
        "Fig. 6.2": "Section 6.2, average of the model called FER CNN",
        "baseline": "Section 6.3, the CNN without augmentation",
        "augmented": "Section 6.3, the CNN after augmentation by the GAN, given as about 85",
    },
    notes=("The official test split is to be compared with 63.03 and 63.39.",),
    cell_errors={
        ("Fig. 6.1", "accuracy"): "Contradicts 63.39 and 63.03 for the same kind of model: likely "
        "training accuracy, not to be compared with a test.",
        ("Fig. 6.2", "accuracy"): "Differs from the 63.03 of Section 6.3: take 63 as the baseline.",
        ("baseline", "accuracy"): "Differs from the 63.39 of Section 6.2: take 63 as the baseline.",
        ("augmented", "accuracy"): "An unverified claim; balancing before splitting, which puts "
        "synthetic images into the test, would explain it.",
    },
)

TABLES: tuple[PaperTable, ...] = (COUNTS, SPLIT, BALANCING, ACCURACY)
