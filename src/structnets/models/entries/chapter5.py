"""Models of chapter 5: hierarchical attribute CNNs and what they are compared with."""

from __future__ import annotations

from structnets.models.entries.entry import ModelEntry

_HCNN = "structnets.models.hcnn:hcnn"
_PLUS = ("activation", True)
ENTRIES = {
    "hcnn": ModelEntry(
        _HCNN, "Table 7; the thesis counts the collapsed filters", chapter=5, thesis_params="0.098M"
    ),
    "hcnn_plus": ModelEntry(
        _HCNN,
        "Table 7 (+); an ELU between the factors",
        chapter=5,
        thesis_params="0.34M",
        options=(_PLUS,),
    ),
    "hcnn_cifar100": ModelEntry(
        _HCNN,
        "Table 8; the thesis counts the collapsed filters",
        chapter=5,
        thesis_params="0.25M",
        options=(("num_classes", 100),),
    ),
    "hcnn_plus_cifar100": ModelEntry(
        _HCNN,
        "Table 8 (+)",
        chapter=5,
        thesis_params="0.89M",
        options=(_PLUS, ("num_classes", 100)),
    ),
    "hcnn_plus_released": ModelEntry(
        _HCNN,
        "Table 7 (+) as released: nine layers of K filters, mean, linear layer",
        chapter=5,
        options=(_PLUS, ("reading", "released")),
    ),
    "hcnn_residual": ModelEntry(
        _HCNN,
        "ours, not the thesis': hcnn_plus with covariant shortcuts",
        chapter=5,
        options=(_PLUS, ("residual", True)),
    ),
    "hcnn_text": ModelEntry(
        "structnets.models.hcnn_text:hcnn_text",
        "Table 7 by the letter of section 5.4.2: normalised between the factors alone",
        chapter=5,
        thesis_params="0.098M",
    ),
    "hcnn_sum": ModelEntry(
        "structnets.models.hcnn_text:hcnn_text",
        "hcnn_text with Eq. 36's sum of classes, which diverges at the text's rate",
        chapter=5,
        thesis_params="0.098M",
        options=(("classes", "sum"),),
    ),
    "all_cnn": ModelEntry(
        "structnets.models.all_cnn:all_cnn",
        "Tables 7 and 8; All-CNN-C, 1.37M, cut to 1.3M in print",
        chapter=5,
        thesis_params="1.3M",
    ),
}
