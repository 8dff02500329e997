"""Optimiser groups of learned scales."""

from __future__ import annotations

import torch
from torch import nn

from structnets.nn import GaussianConv2d, scale_groups


def test_scales_get_a_rate_and_a_decay_of_their_own() -> None:
    net = nn.Sequential(
        GaussianConv2d(1, 2, learn_sigma=True), nn.ReLU(), GaussianConv2d(2, 2, learn_sigma=True)
    )
    groups = scale_groups(net, 0.5, scale_decay=0.01, weight_decay=0.1, momentum=0.9)
    assert [len(group["params"]) for group in groups] == [4, 2]
    optimizer = torch.optim.SGD(groups, lr=0.5)
    found = [(g["lr"], g["weight_decay"], g["momentum"]) for g in optimizer.param_groups]
    assert found == [(0.5, 0.1, 0.9), (0.05, 0.01, 0.9)]
    assert [id(p) for p in groups[1]["params"]] == [id(net[0].log_scale), id(net[2].log_scale)]


def test_a_foreign_parameter_of_that_name_is_none() -> None:
    net = nn.Sequential(GaussianConv2d(1, 2, learn_sigma=True), nn.Linear(2, 2))
    net[1].log_scale = nn.Parameter(torch.zeros(3))
    groups = scale_groups(net, 0.1)
    assert [len(group["params"]) for group in groups] == [5, 1]
    assert groups[1]["params"][0] is net[0].log_scale


def test_without_learned_scales_there_is_one_group() -> None:
    assert len(scale_groups(GaussianConv2d(1, 2), 0.1)) == 1
    assert scale_groups(GaussianConv2d(1, 1, learn_sigma=True), 0.1, 0.03)[1]["lr"] == 0.03
