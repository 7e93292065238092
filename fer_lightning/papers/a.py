"""Tables of paper A: a label-conditional GAN with spectral normalisation on FER-2013."""

from __future__ import annotations

from fer_lightning.papers.table import PaperTable

CITATION = "Emotion Detection Using Conditional GANs, arXiv 2508.04481"

ERRORS: tuple[str, ...] = (
    "The text has three transposed convolutions, the list four: three that upsample from 8 to 64 "
    "pixels, and the output layer.",
    "A rising generator loss with a falling discriminator loss is called convergence: it means "
    "that the discriminator wins; report it, do not reward it.",
    "A match within 10 % of Table II is asked for, but only epochs 50 and 300 are given: nothing "
    "stands for epochs 100 to 250. Table I is not reproduced at all.",
    "FER-2013 has 48x48 pixels and the model 64x64: images are upsampled.",
    "The aim is emotion detection, but no detector or classifier is evaluated; multimodal input "
    "is future work.",
    "Keywords of the front matter (transformers, RAG, LoRA) have nothing to do with the paper: "
    "ignore them.",
    "Spectral normalisation is said to constrain the discriminator, yet it wins: normalisation "
    "alone does not guarantee balance.",
)

TABLE_II = PaperTable.of(
    paper="A",
    name="II",
    title="Losses of generator and discriminator during training, by epoch.",
    unit="loss",
    source="Table II",
    columns=("G loss", "D loss"),
    rows={
        "50": (1.61, 0.47),
        "300": (5.07, 0.18),
    },
    notes=(
        "The paper does not say whether the discriminator's loss is the sum or the mean of its "
        "two terms: compare the mean first.",
        "Recomputed: a generator loss of 1.61 means D(G(z)) ≈ 0.20, and 5.07 means 0.006.",
    ),
    errors=(
        "Rising generator loss and falling discriminator loss are called convergence: it is "
        "dominance of the discriminator.",
    ),
)

MATCH = PaperTable.of(
    paper="A",
    name="match",
    title="How near to Table II the paper wants a repetition to be.",
    unit="%",
    source="text on Table II",
    columns=("relative deviation",),
    rows={"every loss": (10,)},
    notes=(
        "Recomputed: epoch 50, G 1.45 to 1.77 and D 0.42 to 0.52; epoch 300, G 4.56 to 5.58 and "
        "D 0.16 to 0.20.",
        "A soft target: much of the architecture is not given, so the trend of the losses is the "
        "first thing to compare.",
    ),
)

TABLES: tuple[PaperTable, ...] = (TABLE_II, MATCH)
