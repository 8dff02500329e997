"""Answers of all examples, whoever of the workers asked for them."""

import numpy as np
import pytest
import torch

from structnets.forms import answers
from structnets.forms.answers import answers_of
from structnets.forms.workers import Workers


class Examples:
    """Numbers, of which a model that passes them on says themselves."""

    def __init__(self, count):
        self.numbers = torch.arange(count, dtype=torch.float32)

    def __len__(self):
        return len(self.numbers)

    def batch(self, positions, device):
        some = self.numbers[positions]
        return torch.stack([some, -some], 1), torch.stack([some, some], 1)


class Alone(Workers):
    """One of two workers whose sums do not reach the other."""

    def sum(self, values):
        return values


def test_two_workers_answer_what_one_does(monkeypatch):
    whole = answers_of(torch.nn.Identity(), Examples(121), torch.device("cpu"))
    assert [part.shape for part in whole] == [(121, 2), (121, 2)]
    np.testing.assert_array_equal(whole[0][:, 1], -np.arange(121))
    parts = []
    for rank in (0, 1):
        monkeypatch.setattr(answers.Workers, "current", lambda rank=rank: Alone(rank, 2))
        parts.append(answers_of(torch.nn.Identity(), Examples(121), torch.device("cpu")))
    for one, other, both in zip(*parts, whole, strict=True):
        np.testing.assert_array_equal(one + other, both)
    with pytest.raises(ValueError, match="1 images to evaluate on are too few for 2 workers"):
        answers_of(torch.nn.Identity(), Examples(1), torch.device("cpu"))
