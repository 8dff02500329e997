"""Published files of the data sets: sizes, checksums, mirrors."""

from structnets.data.sets.entries.known_file import KnownFile

_MNIST_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
MNIST: dict[str, KnownFile] = {
    "train_images": KnownFile(
        "train-images-idx3-ubyte.gz",
        9_912_422,
        "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        _MNIST_MIRRORS,
    ),
    "train_labels": KnownFile(
        "train-labels-idx1-ubyte.gz",
        28_881,
        "d53e105ee54ea40749a09fcbcd1e9432",
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        _MNIST_MIRRORS,
    ),
    "test_images": KnownFile(
        "t10k-images-idx3-ubyte.gz",
        1_648_877,
        "9fb629c4189551a2d022fa330f9573f3",
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        _MNIST_MIRRORS,
    ),
    "test_labels": KnownFile(
        "t10k-labels-idx1-ubyte.gz",
        4_542,
        "ec29112dd5afa0611ce80d1b7f02629c",
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        _MNIST_MIRRORS,
    ),
}
_CIFAR_MIRRORS = ("https://www.cs.toronto.edu/~kriz/",)
CIFAR10 = KnownFile(
    "cifar-10-python.tar.gz",
    170_498_071,
    "c58f30108f718f92721af3b95e74349a",
    "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
    _CIFAR_MIRRORS,
)
CIFAR100 = KnownFile(
    "cifar-100-python.tar.gz",
    169_001_437,
    "eb9058c3a382ffc7106e4002c42a8d85",
    "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
    _CIFAR_MIRRORS,
)
