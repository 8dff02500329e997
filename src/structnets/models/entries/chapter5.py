"""Models of chapter 5: hierarchical attribute CNNs and what they are compared with."""

from __future__ import annotations

from structnets.models.entries.entry import Entry

_HCNN = "structnets.models.hcnn:hcnn"
_PLUS = ("activation", True)
ENTRIES = {
    "hcnn": Entry(
        _HCNN,
        5,
        thesis_params="0.098M",
        note="Table 7; the thesis counts the collapsed filters",
    ),
    "hcnn_plus": Entry(
        _HCNN,
        5,
        thesis_params="0.34M",
        note="Table 7 (+); an ELU between the factors",
        options=(_PLUS,),
    ),
    "hcnn_cifar100": Entry(
        _HCNN,
        5,
        thesis_params="0.25M",
        note="Table 8; the thesis counts the collapsed filters",
        options=(("num_classes", 100),),
    ),
    "hcnn_plus_cifar100": Entry(
        _HCNN,
        5,
        thesis_params="0.89M",
        note="Table 8 (+)",
        options=(_PLUS, ("num_classes", 100)),
    ),
    "hcnn_plus_released": Entry(
        _HCNN,
        5,
        note="Table 7 (+) as released: nine layers of K filters, mean, linear layer",
        options=(_PLUS, ("reading", "released")),
    ),
    "hcnn_residual": Entry(
        _HCNN,
        5,
        note="ours, not the thesis': hcnn_plus with covariant shortcuts",
        options=(_PLUS, ("residual", True)),
    ),
    "all_cnn": Entry(
        "structnets.models.all_cnn:all_cnn",
        5,
        thesis_params="1.3M",
        note="Tables 7 and 8; All-CNN-C, 1.37M, cut to 1.3M in print",
    ),
}
