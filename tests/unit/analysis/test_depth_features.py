"""Features of all depths in one pass, on disk, complete or not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from structnets.analysis.depth_features import (
    collect_features,
    depth_names,
    open_features,
)
from structnets.models.irevnet import IRevNet
from structnets.models.registry import create_model


def test_every_depth_is_the_spatial_mean(
    net: IRevNet, images: torch.Tensor, tmp_path: Path
) -> None:
    names, labels = depth_names(net), torch.arange(6) % 3
    assert names == [f"features.{i}" for i in range(2, 6)]
    found = collect_features(
        net, names, zip(images.split(4), labels.split(4), strict=True), 6, tmp_path
    )
    with torch.no_grad():
        for i, name in enumerate(names):
            streams = torch.cat(net.features[: i + 3](images), 1)
            np.testing.assert_allclose(found[name], streams.mean((2, 3)), atol=1e-6)
    assert found.labels.tolist() == labels.tolist()
    again = open_features(tmp_path)
    assert again.names == tuple(names)
    assert not net.features[2]._forward_hooks


def test_images_are_read_once(net: IRevNet, images: torch.Tensor, tmp_path: Path) -> None:
    batches = iter([(images, torch.zeros(6))])
    collect_features(net, depth_names(net), batches, 6, tmp_path)
    assert next(batches, None) is None


def test_names_of_a_resnet_s_blocks() -> None:
    with torch.device("meta"):
        model = create_model("resnet50")
    names = depth_names(model, "units.*")
    assert names == [f"units.{i}" for i in range(16)]


@pytest.mark.parametrize(("announced", "message"), [(5, "more than the 5"), (7, "hold 6 images")])
def test_wrong_number_of_images_leaves_nothing_to_open(
    net: IRevNet, images: torch.Tensor, tmp_path: Path, announced: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        collect_features(net, ["features.2"], [(images, torch.zeros(6))], announced, tmp_path)
    with pytest.raises(FileNotFoundError, match="holds no complete features"):
        open_features(tmp_path)


def test_bad_input_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the Linear has no invertible blocks"):
        depth_names(nn.Linear(1, 1))
    with pytest.raises(ValueError, match=r"no modules named 'stage\*'"):
        depth_names(nn.Linear(1, 1), "stage*")
    with pytest.raises(ValueError, match="must be in eval mode"):
        collect_features(nn.Linear(1, 1), [""], [], 0, tmp_path)
