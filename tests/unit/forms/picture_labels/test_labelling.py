"""Which pictures with labels a run is trained on, what it minimises, and what it measures."""

import numpy as np
import pytest
import torch

from structnets.forms.picture_labels.subset import parts, stratified_order
from structnets.forms.picture_labels.task import Labelling
from structnets.specs.inner_folds import ridge_recipe
from structnets.specs.spec import validate

# Three labels: frequent, rare, and one that nearly all have.
SETS = np.array([[n % 2, n % 20 == 3, n % 10 != 4] for n in range(100)], dtype=np.uint8)


def spec(size, seed=0, fraction=0.0):
    recipe = {"evaluation": {"validation_fraction": fraction}}
    return {"data": {"train_size": size}, "recipe": recipe, "seed": seed}


@pytest.mark.parametrize("seed", range(4))
def test_every_beginning_has_each_label_and_its_lack(seed):
    order = stratified_order(SETS, seed)
    assert sorted(order) == list(range(100))
    for size in (6, 20, 50):
        counts = SETS[order[:size]].sum(0)
        assert (counts > 0).all()
        assert (counts < size).all()
    np.testing.assert_allclose(SETS[order[:50]].mean(0), SETS.mean(0), atol=0.07)


def test_subsets_of_a_seed_are_nested_and_of_another_differ():
    small, large = (set(parts(spec(size), SETS, "abc")[0].tolist()) for size in (20, 50))
    assert small < large
    assert small != set(parts(spec(20, seed=1), SETS, "abc")[0].tolist())


def test_what_cannot_be_learned_is_refused():
    with pytest.raises(ValueError, match="100 pictures of seed 0 that are trained on all have"):
        parts(spec(None), np.ones((100, 1), dtype=np.uint8), ["x"])
    with pytest.raises(ValueError, match="trained on none have the label 'x'"):
        parts(spec(None), np.zeros((100, 1), dtype=np.uint8), ["x"])


def test_one_picture_is_too_few_for_validation():
    assert len(parts(spec(50, fraction=0.2), SETS, "abc")[1]) == 10
    with pytest.raises(ValueError, match="the 1 pictures of seed 0 that are held out for valid"):
        parts(spec(50, fraction=0.02), SETS, "abc")


class Logits(torch.nn.Module):
    def forward(self, x):
        return x


class Examples:
    """Logits as images, so that a model that passes them on answers them."""

    def __init__(self, logits, sets):
        self.logits, self.sets = torch.tensor(logits), torch.tensor(sets, dtype=torch.float32)

    def __len__(self):
        return len(self.logits)

    def batch(self, positions, device):
        return self.logits[positions], self.sets[positions]


def test_the_loss_is_minus_the_log_probability_of_the_set():
    logits, sets = torch.tensor([[0.0, 2.0], [1.0, -1.0]]), torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    p = logits.sigmoid()
    wanted = -(p[0, 0].log() + (1 - p[0, 1]).log() + p[1, 0].log() + p[1, 1].log())
    torch.testing.assert_close(Labelling().loss(logits, sets), wanted)


def test_measures_by_hand():
    found = Labelling().measure(
        Logits(),
        Examples([[3.0, -1.0], [1.0, 2.0], [-2.0, 1.0]], [[1, 0], [0, 1], [1, 0]]),
        torch.device("cpu"),
    )
    # Of the first label the surest and the least sure of three have it; of the second the surest.
    assert found.metrics["map"] == pytest.approx(100 * ((1 + 2 / 3) / 2 + 1) / 2)
    assert found.metrics["auc"] == pytest.approx((50 + 100) / 2)
    assert found.metrics["f1"] == pytest.approx(100 * (1 / 2 + 2 / 3) / 2)
    assert found.metrics["exact_match"] == pytest.approx(100 / 3)
    assert found.details["logits"] == [[3.0, -1.0], [1.0, 2.0], [-2.0, 1.0]]


def test_answers_that_are_no_numbers_are_refused():
    with pytest.raises(ValueError, match="1 answers are no finite numbers"):
        Labelling().measure(
            Logits(), Examples([[float("nan"), 1.0]], [[1, 0]]), torch.device("cpu")
        )


def test_no_recipe_but_a_gradient_s_is_for_labels(make_spec):
    prepare = {"content": "c", "classes": 2, "geometry": "short40"}
    data = {"name": "picture_labels", "prepare": prepare}
    spec = {**make_spec(), "data": data, "recipe": ridge_recipe(40), "metric": "map"}
    with pytest.raises(ValueError, match=r"is not for picture_labels; allowed: gradient \("):
        validate(spec)
