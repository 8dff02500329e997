"""Models of chapter 3: structured receptive fields and what they are compared with."""

from __future__ import annotations

from structnets.models.entries.entry import ModelEntry

_MNIST = "structnets.models.mnist"
_DIGIT = (1, 28, 28)
_NIN, _RFNIN, _ALEXNET, _VOLUMES = (
    f"structnets.models.{name}" for name in ("nin", "rfnin", "alexnet", "rfnin3d")
)
_FREE = "structnets.models.free_basis"
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
    "rfnn_mnist": ModelEntry(
        f"{_MNIST}:rfnn",
        "Figure 6; orders 3/2/2 and scales 1.5/1/1 of the released code",
        chapter=3,
        input_shape=_DIGIT,
    ),
    "rfnn_mnist_order3": ModelEntry(
        f"{_MNIST}:rfnn",
        "Figure 6; third order throughout, as the thesis says",
        chapter=3,
        input_shape=_DIGIT,
        options=(("orders", (3, 3, 3)),),
    ),
    "rfnn_hybrid": ModelEntry(
        f"{_MNIST}_hybrid:rfnn_hybrid",
        "rfnn_mnist with hybrid derivatives; not in the thesis",
        chapter=3,
        input_shape=_DIGIT,
    ),
    "rfnn_learned_scale": ModelEntry(
        f"{_MNIST}_hybrid:rfnn_hybrid",
        "rfnn_hybrid that learns one scale a layer; not in the thesis",
        chapter=3,
        input_shape=_DIGIT,
        options=(("learn_sigma", True),),
    ),
    "small_rfnn": ModelEntry(
        "structnets.models.small_digits:small_rfnn",
        "the demo's small net of Gaussian derivatives; not in the thesis",
        chapter=3,
        input_shape=_DIGIT,
    ),
    "small_cnn": ModelEntry(
        "structnets.models.small_digits:small_cnn",
        "the demo's small net of free filters; not in the thesis",
        chapter=3,
        input_shape=_DIGIT,
    ),
    "cnn_b": ModelEntry(
        f"{_MNIST}:cnn_b",
        "Figure 6; kernels 11/7/7, the RFNN's support",
        chapter=3,
        input_shape=_DIGIT,
    ),
    "cnn_b_5x5": ModelEntry(
        f"{_MNIST}:cnn_b",
        "Figure 6; kernels 5/5/5 as in stochastic pooling's MNIST net",
        chapter=3,
        input_shape=_DIGIT,
        options=(("kernel_sizes", (5, 5, 5)),),
    ),
    "scattering": ModelEntry(
        "structnets.models.scattering:ScatteringFeatures",
        "Figure 6; fixed features, the classifier is fitted on them",
        chapter=3,
        input_shape=_DIGIT,
    ),
    **{
        name: ModelEntry(
            f"{_RFNIN}:rfnin",
            "Table 1, 100 classes",
            chapter=3,
            input_shape=_PHOTO,
            thesis_params=printed,
            options=(("order", order), ("scales", scales)),
        )
        for name, (printed, order, scales) in _TABLE1.items()
    },
    "rfnin_scale3_wide": ModelEntry(
        f"{_RFNIN}:rfnin",
        "rfnin_scale3 with three-sigma supports 49/25/13/7; not in the thesis",
        chapter=3,
        input_shape=_PHOTO,
        options=(("kernel_sizes", (49, 25, 13, 7)),),
    ),
    "rfnin_v2": ModelEntry(
        f"{_RFNIN}:rfnin_v2",
        "Table 4, 1000 classes; strides and supports of the released net",
        chapter=3,
        input_shape=_PHOTO,
        thesis_params="10M",
    ),
    "rfnin_bn": ModelEntry(
        f"{_RFNIN}:rfnin_v2",
        "the released batch-norm net, fourth order; not in the thesis",
        chapter=3,
        input_shape=_PHOTO,
        options=(
            ("order", 4),
            ("widths", (128, 128, 384, 512, 1024)),
            ("batch_norm", True),
            ("last_cccp", True),
        ),
    ),
    "nin_imagenet": ModelEntry(
        f"{_NIN}:nin_imagenet",
        "Table 4, 1000 classes (truncated); Table 1 prints 8.2M, which no reading reproduces",
        chapter=3,
        input_shape=_PHOTO,
        thesis_params="7.5M",
    ),
    "nin_cifar": ModelEntry(
        f"{_NIN}:nin_cifar",
        "printed in chapter 5, 100 classes; average pooling of the Caffe file",
        chapter=3,
        input_shape=_CIFAR,
        thesis_params="0.98M",
        options=(("num_classes", 100),),
    ),
    "nin_refactor_layer1": ModelEntry(
        f"{_FREE}:nin_refactor_layer1",
        "Table 2, 1000 classes; 7.47M follows from no reading of the zoo's net",
        chapter=3,
        input_shape=_PHOTO,
        thesis_params="7.47M",
    ),
    "rfnin_refactor_layer1": ModelEntry(
        f"{_FREE}:rfnin_refactor_layer1",
        "Table 2, 1000 classes; 7.47M follows from no reading of the zoo's net",
        chapter=3,
        input_shape=_PHOTO,
        thesis_params="7.47M",
    ),
    "nin_refactor_all": ModelEntry(
        f"{_FREE}:nin_refactor_all",
        "Table 2, 100 classes; supports 11/9/7/5 as rfnin_scale3; 25/13/7/5 give 6.85M",
        chapter=3,
        input_shape=_PHOTO,
        thesis_params="6.87M",
    ),
    "alexnet": ModelEntry(
        f"{_ALEXNET}:AlexNet",
        "Table 1; grouped, 1000 classes, truncated; the 370k filters are the un-grouped net's",
        chapter=3,
        input_shape=_PHOTO,
        thesis_params="60.0M",
    ),
    "rfnin_cifar": ModelEntry(
        f"{_RFNIN}:rfnin_cifar",
        "Table 3; scales 3/2/1, which the thesis does not state",
        chapter=3,
        input_shape=_CIFAR,
    ),
    "rfnin_3d": ModelEntry(
        f"{_VOLUMES}:rfnin_3d",
        "Table 5; 58/39/20 atoms in the three blocks, where the thesis is silent",
        chapter=3,
        input_shape=_BRAIN,
    ),
    "rfnin_3d_58": ModelEntry(
        f"{_VOLUMES}:rfnin_3d",
        "Table 5; 58 atoms throughout",
        chapter=3,
        input_shape=_BRAIN,
        options=(("scales", (3, 3, 3)),),
    ),
    "rfnin_3d_small": ModelEntry(
        f"{_VOLUMES}:rfnin_3d",
        "rfnin_3d for 4 mm volumes at a quarter of the width",
        chapter=3,
        input_shape=_BRAIN_4MM,
        options=(("width", 0.25), ("voxel_mm", 4.0)),
    ),
    "nin_3d": ModelEntry(
        f"{_VOLUMES}:nin_3d",
        "section 3.4.4; widths of rfnin_3d, 5x5x5 kernels",
        chapter=3,
        input_shape=_BRAIN,
    ),
    "standardized_voxels": ModelEntry(
        "structnets.models.standardized_voxels:StandardizedVoxels",
        "linear baseline of Table 5; not in the thesis",
        chapter=3,
        input_shape=_BRAIN_4MM,
    ),
    "nin_3d_small": ModelEntry(
        f"{_VOLUMES}:nin_3d",
        "nin_3d at a quarter of the width",
        chapter=3,
        input_shape=_BRAIN_4MM,
        options=(("width", 0.25),),
    ),
}
