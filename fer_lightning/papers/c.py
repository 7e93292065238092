"""Tables of paper C: an encoder, generator, discriminator and frozen classifier across datasets."""

from __future__ import annotations

from fer_lightning.papers.table import PaperTable

CITATION = "Arabian & Moeller, GAN for Facial Emotion Recognition: A Feasibility Study"

ERRORS: tuple[str, ...] = (
    "JAFPE is JAFFE.",
    "The mean row of Table 2 is not the mean of its classes: report micro and macro rates.",
    "The exclusion rates of 8.77 and 1.41 % are of totals with neutral (180 of 2052, 3 of 213); "
    "without neutral, as in Table 1, FACES loses 168 of 1710 = 9.82 %.",
    "Classes are called near equally distributed, but FACES has no surprise and JAFFE 27 images "
    "of it.",
    "The share of sadness in FACES is 20.56 %, printed 20.55, which makes the shares sum to 100.",
    "The improvement overall (48.81 to 49.39) hides three classes that fall to 0 %: say so.",
    "FACES is described with six classes, neutral among them, and used with five.",
    "Test set, seeds, weight of the classifier's loss and learning rate are not given.",
    "A validation accuracy of 98 % suggests that frames of one sequence are in both parts.",
)

TABLE_1 = PaperTable.of(
    paper="C",
    name="1",
    title="Images of FACES and JAFFE by emotion, before and after pre-processing.",
    unit="images",
    source="Table 1",
    columns=(
        "FACES original",
        "FACES after",
        "FACES share",
        "JAFFE original",
        "JAFFE after",
        "JAFFE share",
    ),
    column_units={"FACES share": "%", "JAFFE share": "%"},
    rows={
        "anger": (342, 292, 18.94, 30, 30, 16.67),
        "disgust": (342, 292, 18.94, 29, 29, 16.11),
        "fear": (342, 303, 19.65, 32, 32, 17.78),
        "happiness": (342, 338, 21.92, 31, 31, 17.22),
        "sadness": (342, 317, 20.55, 31, 31, 17.22),
        "surprise": (0, 0, None, 30, 27, 15.00),
        "total": (1710, 1542, 100, 183, 180, 100),
    },
    notes=("Shares are of the images after pre-processing; neutral was removed before.",),
    errors=(
        "The text calls the classes near equally distributed; FACES has no surprise and JAFFE 27 "
        "images of it.",
    ),
    cell_errors={
        ("sadness", "FACES share"): "317 of 1542 is 20.56 %; lowered so that the shares sum to "
        "100.",
    },
)

TABLE_2 = PaperTable.of(
    paper="C",
    name="2",
    title="True positives on FACES and JAFFE before and after the GAN, mean and standard deviation "
    "over the classifiers.",
    unit="%",
    source="Table 2",
    columns=("before", "before SD", "after", "after SD"),
    rows={
        "anger": (32.59, 16.38, 72.41, 10.27),
        "disgust": (73.83, 11.06, 100.00, 0.00),
        "fear": (73.87, 3.88, 94.40, 1.97),
        "happiness": (57.87, 13.05, 0, None),
        "sadness": (8.57, 1.86, 0, None),
        "surprise": (20.00, 17.21, 0, None),
        "mean": (48.81, 4.31, 49.39, 1.84),
    },
    notes=(
        "Recomputed: the mean of the six classes is 44.46 before and 44.47 after; weighted by the "
        "counts of Table 1 it is 48.67 and 50.55.",
        "The test set is not defined, nor how many classifiers there are.",
    ),
    errors=("The improvement overall hides three classes that fall to 0 %: say so beside it.",),
    cell_errors={
        ("mean", "before"): "Not the mean of the classes (44.46); nearer to the rate over all "
        "images (48.67 with the counts of Table 1): report micro and macro.",
        ("mean", "after"): "Not the mean of the classes (44.47); nearer to the rate over all "
        "images (50.55 with the counts of Table 1): report micro and macro.",
    },
)

DATASETS = PaperTable.of(
    paper="C",
    name="datasets",
    title="The datasets before neutral was removed, and what pre-processing excluded.",
    unit="images",
    source="text on the datasets",
    columns=("images", "subjects", "emotions", "excluded"),
    column_units={"subjects": "subjects", "emotions": "emotions", "excluded": "%"},
    rows={
        "Oulu-CASIA": (10379, 80, 6, None),
        "Oulu-CASIA real set": (None, 3, None, None),
        "FACES": (2052, None, 6, 8.77),
        "JAFFE": (213, 10, 7, 1.41),
    },
    legend={
        "Oulu-CASIA": "visible light, strong illumination, all frames of a sequence",
        "Oulu-CASIA real set": "subjects drawn at random whose frames are the GAN's real images",
        "excluded": "images whose face could not be segmented",
    },
    notes=("Recomputed: three of 80 subjects are about 389 frames.",),
    cell_errors={
        ("FACES", "excluded"): "Of all 2052 images, neutral included (180); by Table 1, without "
        "neutral, 168 of 1710 = 9.82 %.",
        ("JAFFE", "excluded"): "Of all 213 images, neutral included (3); the losses of "
        "Table 1 are without neutral.",
        ("FACES", "emotions"): "Neutral is among the six and was removed: five are used.",
    },
)

CLASSIFIER = PaperTable.of(
    paper="C",
    name="classifier",
    title="The frozen classifier on Oulu-CASIA.",
    unit="%",
    source="text on the classifier",
    columns=("validation accuracy",),
    rows={"classifier": (98,)},
    cell_errors={
        ("classifier", "validation accuracy"): "Only plausible if frames were split at random, so "
        "that one sequence is in both parts: also report a split by subject.",
    },
)

TABLES: tuple[PaperTable, ...] = (TABLE_1, TABLE_2, DATASETS, CLASSIFIER)
