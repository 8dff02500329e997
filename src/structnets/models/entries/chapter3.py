"""Models of chapter 3: structured receptive fields and what they are compared with."""

from __future__ import annotations

from structnets.models.entries.entry import Entry

_MNIST = "structnets.models.mnist"
_DIGIT = (1, 28, 28)
ENTRIES = {
    "rfnn_mnist": Entry(
        f"{_MNIST}:rfnn",
        3,
        _DIGIT,
        note="Figure 6; orders 3/2/2 and scales 1.5/1/1 of the released code",
    ),
    "rfnn_mnist_order3": Entry(
        f"{_MNIST}:rfnn",
        3,
        _DIGIT,
        note="Figure 6; third order throughout, as the thesis says",
        options=(("orders", (3, 3, 3)),),
    ),
    "cnn_b": Entry(
        f"{_MNIST}:cnn_b", 3, _DIGIT, note="Figure 6; kernels 11/7/7, the RFNN's support"
    ),
    "cnn_b_5x5": Entry(
        f"{_MNIST}:cnn_b",
        3,
        _DIGIT,
        note="Figure 6; kernels 5/5/5 as in stochastic pooling's MNIST net",
        options=(("kernel_sizes", (5, 5, 5)),),
    ),
    "scattering": Entry(
        "structnets.models.scattering:ScatteringFeatures",
        3,
        _DIGIT,
        note="Figure 6; fixed features, the classifier is fitted on them",
    ),
}
