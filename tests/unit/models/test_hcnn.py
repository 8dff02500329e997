"""Hierarchical attribute CNNs: the thesis' counts, Proposition 5.3.1, readings, bad input."""

from __future__ import annotations

import pytest
import torch

from structnets.models import create_model, describe_models
from structnets.models.hcnn import HCNN, ClassMean, hcnn

COUNTS = {  # trained, collapsed; the first four as the thesis prints them, to the last weight
    "hcnn": (344_640, 97_650),
    "hcnn_plus": (344_640, 344_640),
    "hcnn_cifar100": (887_424, 250_308),
    "hcnn_plus_cifar100": (887_424, 887_424),
    "hcnn_plus_released": (359_594 + 928, 359_594 + 928),
    "hcnn_text": (344_640, 97_650),
    "hcnn_sum": (344_640, 97_650),
    "hcnn_residual": (344_640 + 7 * 16, 344_640 + 7 * 16),
    "all_cnn": (1_369_738, 1_369_738),
}
SMALL = {"values": 8, "terms": 4, "support": (5, 7), "depth": 8, "downsampling": (4,)}


def test_golden_table_of_counts() -> None:
    rows = {row["name"]: (row["params"], row["collapsed_params"]) for row in describe_models()}
    assert {name: rows[name] for name in COUNTS} == COUNTS


@pytest.fixture(scope="module", params=[False, True], ids=["hcnn", "plus"])
def trained(request: pytest.FixtureRequest) -> HCNN:
    """A small circular net after a few steps on noise, so that its statistics are its own."""
    torch.manual_seed(0)
    model = hcnn(4, padding="circular", activation=request.param, **SMALL)
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    images, labels = torch.randn(16, 3, 8, 8), torch.arange(16) % 4
    for _ in range(20):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
    assert loss < 1.3
    return model.eval()


@torch.no_grad()
@pytest.mark.parametrize("depth", [4, 5, 6])
@pytest.mark.parametrize(
    "shifts", [(0, 0, 1, 0, 0), (0, 0, 0, 2, 0), (0, 0, 0, 0, 4), (3, 1, 1, 2, 4)]
)
def test_invariance_to_translations_of_inner_arrays(
    trained: HCNN, depth: int, shifts: tuple[int, ...]
) -> None:
    """Proposition 5.3.1, by multiples of the subsampling still to come.

    A newest attribute is subsampled twice before it is summed away (at the last two depths the
    head sums it first), the one before once, the oldest never; space no more from depth 4 on.
    """
    array = list(trained.arrays(torch.randn(3, 3, 8, 8)))[depth - 1]
    moved = trained.classify_from(array.roll(shifts, (1, 2, 3, 4, 5)), depth)
    expected = trained.classify_from(array, depth)
    assert expected.std() > 0.01
    torch.testing.assert_close(moved, expected, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_other_translations_are_not_invariances(trained: HCNN) -> None:
    array = list(trained.arrays(torch.randn(3, 3, 8, 8)))[3]
    moved = trained.classify_from(array.roll(1, 5), 4)
    assert (moved - trained.classify_from(array, 4)).abs().max() > 1e-3


@torch.no_grad()
def test_residual_net_is_invariant_too() -> None:
    torch.manual_seed(0)
    model = hcnn(4, padding="circular", residual=True, **SMALL).eval()
    array = list(model.arrays(torch.randn(2, 3, 8, 8)))[3]
    moved = model.classify_from(array.roll((1, 2, 4), (3, 4, 5)), 4)
    torch.testing.assert_close(moved, model.classify_from(array, 4), rtol=1e-4, atol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("way", ["plain", "auto"])
def test_sizes_of_the_layers(way: str) -> None:
    """Figure 13 for ten classes: space halves at depths 4 and 8."""
    sizes = [tuple(x.shape[1:]) for x in hcnn(way=way).eval().arrays(torch.zeros(1, 3, 32, 32))]
    inner = (4, 8, 16)
    assert sizes == [
        (32, 32, 16),
        (32, 32, 8, 16),
        (32, 32, *inner),
        *[(16, 16, *inner)] * 4,
        *[(8, 8, *inner)] * 3,
        (8, 8, 4, 8, 10),
    ]


@torch.no_grad()
@pytest.mark.parametrize("options", [{}, {"activation": True}, {"reading": "released"}])
def test_fast_ways_give_the_plain_net_s_logits(options: dict) -> None:
    torch.manual_seed(0)
    fast = hcnn(**SMALL, **options)
    plain = hcnn(**SMALL, **options, way="plain")
    plain.load_state_dict(fast.state_dict())
    images = torch.randn(4, 3, 12, 10)
    for training in (True, False):
        found, expected = fast.train(training)(images), plain.train(training)(images)
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_class_mean_by_hand() -> None:
    x = torch.ones(1, 2, 2, 1, 4, 3) * torch.tensor([1.0, 2.0, -1.0])
    torch.testing.assert_close(ClassMean()(x), torch.tensor([[1.0, 2.0, -1.0]]))


@pytest.mark.parametrize("name", ["hcnn_residual", "hcnn_plus_released", "all_cnn"])
def test_nets_give_a_logit_per_class_for_images_of_other_sizes(name: str) -> None:
    options = {} if name == "all_cnn" else SMALL
    model = create_model(name, num_classes=5, in_channels=1, **options)
    assert model(torch.randn(2, 1, 13, 10)).shape == (2, 5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"values": 6}, r"values \(K\) must be a positive multiple of 4, .*got 6"),
        ({"terms": 0}, r"terms \(Q\) must be >= 1, got 0"),
        ({"num_classes": 0}, "num_classes must be >= 1, got 0"),
        ({"depth": 3}, r"depth \(J\) must be >= 4, got 3"),
        ({"downsampling": (2, 8)}, r"depths from 3 to 11, got \[2, 8\]"),
        ({"padding": "mirror"}, "padding must be one of zeros, circular; got 'mirror'"),
        ({"reading": "arxiv"}, "reading must be one of paper, released; got 'arxiv'"),
        (
            {"values": 8, "num_classes": 100, "padding": "circular"},
            "exceeds an attribute axis of 4",
        ),
    ],
)
def test_bad_arguments_are_named(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        hcnn(**options)


def test_wrong_images_are_named() -> None:
    with pytest.raises(ValueError, match="depth must be from 1 to 7, got 8"):
        hcnn(**SMALL).classify_from(torch.zeros(1, 1, 1, 1, 1, 10), 8)
    with pytest.raises(ValueError, match=r"images must have shape \(N, 3, U1, U2\), got \(1, 1"):
        hcnn(**SMALL)(torch.zeros(1, 1, 8, 8))
    with pytest.raises(ValueError, match=r"at least 9 x 9 pixels, got \(8, 8\)"):
        create_model("all_cnn")(torch.zeros(1, 3, 8, 8))
