"""Models of chapter 3: structured receptive fields and what they are compared with."""

from __future__ import annotations

from structnets.models.entries.entry import Entry

_MNIST = "structnets.models.mnist"
_DIGIT = (1, 28, 28)
_NIN, _RFNIN, _ALEXNET, _VOLUMES = (
    f"structnets.models.{name}" for name in ("nin", "rfnin", "alexnet", "rfnin3d")
)
_PHOTO = (3, 224, 224)
_CIFAR = (3, 32, 32)
_BRAIN = (1, 91, 109, 91)
_BRAIN_4MM = (1, 46, 55, 46)
_TABLE1 = {
    "rfnin_order1": ("1.8M", 1, 1),
    "rfnin_order2": ("3.4M", 2, 1),
    "rfnin_order3": ("5.5M", 3, 1),
    "rfnin_order4": ("8.1M", 4, 1),
    "rfnin_scale1": ("2.2M", 1, 4),
    "rfnin_scale2": ("4.2M", 2, 4),
    "rfnin_scale3": ("6.83M", 3, 4),  # of Table 2; Table 1 has 6.8M
    "rfnin_scale4": ("10.1M", 4, 4),
}
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
    **{
        name: Entry(
            f"{_RFNIN}:rfnin",
            3,
            _PHOTO,
            printed,
            "Table 1, 100 classes",
            (("order", order), ("scales", scales)),
        )
        for name, (printed, order, scales) in _TABLE1.items()
    },
    "rfnin_scale3_wide": Entry(
        f"{_RFNIN}:rfnin",
        3,
        _PHOTO,
        note="rfnin_scale3 with three-sigma supports 49/25/13/7; not in the thesis",
        options=(("kernel_sizes", (49, 25, 13, 7)),),
    ),
    "rfnin_v2": Entry(
        f"{_RFNIN}:rfnin_v2",
        3,
        _PHOTO,
        "10M",
        "Table 4, 1000 classes; strides and supports of the released net",
    ),
    "rfnin_bn": Entry(
        f"{_RFNIN}:rfnin_v2",
        3,
        _PHOTO,
        note="the released batch-norm net, fourth order; not in the thesis",
        options=(
            ("order", 4),
            ("widths", (128, 128, 384, 512, 1024)),
            ("batch_norm", True),
            ("last_cccp", True),
        ),
    ),
    "nin_imagenet": Entry(
        f"{_NIN}:nin_imagenet",
        3,
        _PHOTO,
        "7.5M",
        "Table 4, 1000 classes (truncated); Table 1 prints 8.2M, which no reading reproduces",
    ),
    "nin_cifar": Entry(
        f"{_NIN}:nin_cifar",
        3,
        _CIFAR,
        "0.98M",
        "printed in chapter 5, 100 classes; average pooling of the Caffe file",
        (("num_classes", 100),),
    ),
    "nin_refactor_layer1": Entry(
        f"{_NIN}:nin_refactor_layer1",
        3,
        _PHOTO,
        "7.47M",
        "Table 2, 1000 classes; 7.47M follows from no reading of the zoo's net",
    ),
    "rfnin_refactor_layer1": Entry(
        f"{_NIN}:nin_refactor_layer1",
        3,
        _PHOTO,
        "7.47M",
        "Table 2, 1000 classes; 7.47M follows from no reading of the zoo's net",
        (("basis", "gaussian"),),
    ),
    "nin_refactor_all": Entry(
        f"{_RFNIN}:rfnin",
        3,
        _PHOTO,
        "6.87M",
        "Table 2, 100 classes; supports 11/9/7/5 as rfnin_scale3; 25/13/7/5 give 6.85M",
        (("basis", "free"),),
    ),
    "alexnet": Entry(
        f"{_ALEXNET}:AlexNet",
        3,
        _PHOTO,
        "60.0M",
        "Table 1; grouped, 1000 classes, truncated; the 370k filters are the un-grouped net's",
    ),
    "rfnin_cifar": Entry(
        f"{_RFNIN}:rfnin_cifar",
        3,
        _CIFAR,
        note="Table 3; scales 3/2/1, which the thesis does not state",
    ),
    "rfnin_3d": Entry(
        f"{_VOLUMES}:rfnin_3d",
        3,
        _BRAIN,
        note="Table 5; 58/39/20 atoms in the three blocks, where the thesis is silent",
    ),
    "rfnin_3d_58": Entry(
        f"{_VOLUMES}:rfnin_3d",
        3,
        _BRAIN,
        note="Table 5; 58 atoms throughout",
        options=(("scales", (3, 3, 3)),),
    ),
    "rfnin_3d_small": Entry(
        f"{_VOLUMES}:rfnin_3d",
        3,
        _BRAIN_4MM,
        note="rfnin_3d for 4 mm volumes at a quarter of the width",
        options=(("width", 0.25), ("voxel_mm", 4.0)),
    ),
    "nin_3d": Entry(
        f"{_VOLUMES}:nin_3d", 3, _BRAIN, note="section 3.4.4; widths of rfnin_3d, 5x5x5 kernels"
    ),
    "standardized_voxels": Entry(
        "structnets.models.standardized_voxels:StandardizedVoxels",
        3,
        _BRAIN_4MM,
        note="linear baseline of Table 5; not in the thesis",
    ),
    "nin_3d_small": Entry(
        f"{_VOLUMES}:nin_3d",
        3,
        _BRAIN_4MM,
        note="nin_3d at a quarter of the width",
        options=(("width", 0.25),),
    ),
}
