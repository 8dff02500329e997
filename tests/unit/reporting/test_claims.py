"""Verdicts on the thesis' claims: by hand, in every direction, and for the committed files."""

import json

import pytest

from structnets import cli
from structnets.reporting.claims import decide, markdown, outcome, side
from structnets.reporting.intervals import slope, student_interval
from structnets.reporting.quantities import Measured, Quantity
from structnets.specs.claim import Claim, Claims, Relation, load_claims
from structnets.specs.validation import checked
from tests.made_results import WORKFLOW

IDS = [
    "c3.order",
    "c3.scale",
    "c3.nin",
    "c3.weights",
    "c3.basis",
    "c3.layer1",
    "c3.small",
    "c3.gap",
    "c3.scatter",
    "c3.large",
    "c3.onescale",
    "c3.cifar",
    "c3.classes",
    "c3.deeper",
    "c3.adni",
    "c3.oasis",
    "c4.image",
    "c4.naive",
    "c4.runtime",
    "c4.binary",
    "c4.texture",
    "c4.dynamic",
    "c4.hnet",
    "c5.params",
    "c5.plus",
    "c5.cifar100",
    "c5.q",
    "c5.circular",
    "c5.deep",
    "c5.residual",
    "c6.loss",
    "c6.a",
    "c6.b",
    "c6.time",
    "c6.memory",
    "c6.inverse",
    "c6.energy",
    "c6.separable",
    "c6.svm",
    "c6.last",
    "c6.pca",
]


class Made:
    """Quantities by address: lists are the values of seeds 0, 1, …"""

    def __init__(self, **values):
        self.found = {
            name: one if isinstance(one, Quantity) else Quantity(dict(enumerate(one)), [name])
            for name, one in values.items()
        }

    def quantity(self, address, reduced):
        return self.found.get(address.replace("/", "_"), Quantity())


def relation(of=("t/a/n", "t/b/n"), **more):
    return Relation(of=list(of), **more)


def test_interval_by_hand():
    """Of 1, 2, 3: mean 2, deviation 1, t of two degrees of freedom 4.3027: 2 ± 4.3027 / √3."""
    assert student_interval([1.0, 2.0, 3.0]) == pytest.approx((-0.48414, 4.48414), abs=1e-5)
    assert student_interval([5.0]) is None
    assert student_interval([2.0, 2.0]) == (2.0, 2.0)


def test_slope_by_hand():
    assert slope([1.0, 2.0, 3.0], [1.0, 2.0, 6.0]) == pytest.approx(2.5)


@pytest.mark.parametrize(
    ("given", "interval", "word"),
    [
        ({"above": 0}, (0.1, 2.0), "supported"),
        ({"above": 0}, (-0.1, 2.0), "undecided"),
        ({"above": 0}, (-2.0, -0.1), "contradicted"),
        ({"above": 2}, (1.1, 2.95), "undecided"),
        ({"below": 0}, (-2.0, -0.1), "supported"),
        ({"below": 0}, (0.1, 2.0), "contradicted"),
        ({"near": 1.5, "by": 1}, (0.6, 2.4), "supported"),
        ({"near": 1.5, "by": 1}, (0.4, 2.4), "undecided"),
        ({"near": 1.5, "by": 1}, (2.6, 3.0), "contradicted"),
    ],
)
def test_side_of_an_interval(given, interval, word):
    assert side(relation(**given), interval) == word


def test_difference_is_of_paired_seeds_alone():
    """Seeds 0 to 2 are paired, with differences 2, 3, 4; seed 3 has no partner."""
    found = outcome(relation(above=0), Made(t_a_n=[92, 94, 96, 50], t_b_n=[90, 91, 92]), False)
    assert (found.verdict, found.difference, found.n) == ("supported", 3.0, 3)
    assert found.interval == pytest.approx((3 - 2.48414, 3 + 2.48414), abs=1e-5)
    assert found.run_ids == ("t_a_n", "t_b_n")


def test_two_pairs_decide_nothing_however_clear():
    found = outcome(relation(above=0), Made(t_a_n=[99, 99], t_b_n=[1, 1]), False)
    assert (found.verdict, found.why) == ("undecided", "2 paired seeds; 3 are needed")


def test_ratio_and_slope():
    pair = Made(t_a_n=[4.0, 4.0, 4.0], t_b_n=[3.0, 3.0, 3.0])
    assert outcome(relation(ratio=True, near=1.33, by=0.15), pair, False).verdict == "supported"
    tens = Relation(slope={1: ["t/a/n"], 100: ["t/b/n"]}, logarithmic=True, below=0)
    found = outcome(tens, pair, False)
    assert found.difference == pytest.approx(-1 / 4.605170)
    assert found.verdict == "supported"


def test_exact_value_decides_by_itself():
    once = Made(t_a_n=Quantity({-1: 1.03}))
    assert outcome(relation(["t/a/n"], near=1, by=0.05), once, False).verdict == "undecided"
    exact = relation(["t/a/n"], near=1, by=0.05, exact=True)
    assert outcome(exact, once, False).verdict == "supported"


def test_runs_that_did_not_train_decide_nothing():
    broken = Quantity({0: 5.0, 1: 5.0, 2: 5.1}, ["r"], untrained=3)
    found = outcome(relation(above=10), Made(t_a_n=[60, 61, 62], t_b_n=broken), False)
    assert (found.verdict, found.why) == ("undecided", "3 of its runs did not train")


def test_runs_of_several_versions_of_their_data_decide_nothing():
    values = {seed: 90.0 + seed for seed in range(3)}
    first, again = (Quantity(values, [run], data=("mnist", "1" * 64)) for run in "ab")
    other = Quantity(values, ["c"], data=("mnist", "2" * 64))
    elsewhere = Quantity(values, ["d"], data=("kth_tips", "2" * 64))
    alike = relation(near=0, by=1)
    assert outcome(alike, Made(t_a_n=first, t_b_n=again), False).verdict == "supported"
    assert outcome(alike, Made(t_a_n=first, t_b_n=elsewhere), False).verdict == "supported"
    found = outcome(alike, Made(t_a_n=first, t_b_n=other), False)
    said = "its runs were measured on 2 versions of mnist"
    assert (found.verdict, found.difference, found.why) == ("undecided", None, said)
    refused = Quantity(refusal="runs of 2 versions of the data are not pooled")
    found = outcome(alike, Made(t_a_n=first, t_b_n=refused), False)
    assert (found.verdict, found.why) == ("undecided", refused.refusal)


def test_a_cross_validation_is_decided_by_its_people_by_hand():
    """Right/right, right/wrong, right/wrong, wrong/wrong: 0, 100, 100, 0."""
    first = Quantity({0: 75.0}, ["a"], right={0: [True, True, True, False]})
    second = Quantity({0: 25.0}, ["b"], right={0: [True, False, False, False]})
    found = outcome(relation(above=0), Made(t_a_n=first, t_b_n=second), False)
    # mean 50, deviation 57.735, t of three degrees of freedom 3.18245
    assert found.interval == pytest.approx((50 - 91.869, 50 + 91.869), abs=1e-2)
    assert (found.verdict, found.difference, found.n) == ("undecided", 50.0, 4)


def test_further_repetitions_of_the_same_people_do_not_narrow_the_interval():
    once = [True] * 8 + [False] * 2  # Wilson: 49.0 to 94.3
    again = [True] * 9 + [False]  # 59.6 to 98.2
    alone = Relation(of=["t/a/n"], above=45)
    many = Quantity(dict.fromkeys(range(30), 85.0), ["a"], right={0: once, 1: again, 2: once})
    found = outcome(alone, Made(t_a_n=many), False)
    assert found.interval == pytest.approx((49.0, 98.2), abs=0.1)
    assert (found.verdict, found.n) == ("supported", 10)
    assert found.difference == pytest.approx((80 + 90 + 80) / 3)
    above = Relation(of=["t/a/n"], above=50)
    assert outcome(above, Made(t_a_n=many), False).verdict == "undecided"


def test_of_a_cohort_whole_repetitions_count_and_folds_of_one_alone():
    measured = Measured(WORKFLOW / "ledger", WORKFLOW / "targets", WORKFLOW / "experiments")
    found = measured.quantity("table5/rfnin_oasis/accuracy", True)
    assert found.right
    assert {len(people) for people in found.right.values()} == {126}
    found = measured.quantity("table5/rfnin_oasis/auc", True)
    assert sorted(found.by_seed) == list(range(10))
    for key, lines in measured.runs.items():
        measured.runs[key] = [line for line in lines if line["spec"]["seed"] < 9]
    assert "run whole" in str(measured.quantity("table5/rfnin_oasis/accuracy", True).refusal)


def claim(*relations, **more):
    return Claim(id="c3.x", where="here", statement="A is above B.", full=list(relations), **more)


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"t_a_n": [2, 3, 4], "t_b_n": [1, 1, 1]}, "supported"),
        ({"t_a_n": [2, 3, 4], "t_b_n": [90, 90, 90.1]}, "contradicted"),
        ({"t_a_n": [2, 3, 4]}, "undecided"),
        ({}, "not run"),
    ],
)
def test_weakest_relation_decides(values, word):
    both = claim(relation(["t/a/n"], above=0), relation(["t/a/n"], above=-1), relation(above=-5))
    assert decide(both, 3, Made(**values), False).verdict == word


def test_claim_without_a_target_says_what_it_needs():
    bare = Claim(id="c3.x", where="here", statement="S.", open="a clock")
    found = decide(bare, 3, Made(), False)
    assert (found.verdict, found.why) == ("not run", "a clock")


def test_table_is_escaped():
    odd = Claim(id="c3.x", where="a|b", statement="<i>", open="none")
    assert "| a\\|b | &lt;i&gt; |" in markdown([decide(odd, 3, Made(), False)])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "either of or slope"),
        ({"of": ["t/a/n"]}, "one of above, below and near"),
        ({"of": ["t/a/n"], "near": 1}, "near and by belong together"),
        ({"of": ["t/a/n"], "ratio": True, "above": 1}, "two addresses"),
        ({"slope": {1: ["t/a/n"]}, "above": 0}, "two places"),
        ({"slope": {0: ["t/a/n"], 1: ["t/a/n"]}, "logarithmic": True, "above": 0}, "above 0"),
    ],
)
def test_wrong_relation_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        Relation(**given)


def test_ids_are_unique_and_of_the_chapter():
    one = claim(relation(above=0)).model_dump()
    with pytest.raises(ValueError, match=r"repeated: c3\.x"):
        checked(Claims, {"chapter": 3, "claims": [one, one]}, "f")
    with pytest.raises(ValueError, match=r"ids of chapter 4 begin with c4"):
        checked(Claims, {"chapter": 4, "claims": [one]}, "f")


def test_committed_claims_are_all_there_and_name_what_there_is():
    claims = load_claims(WORKFLOW / "claims")
    assert {one.id for _, one in claims} >= set(IDS)
    measured = Measured(WORKFLOW / "ledger", WORKFLOW / "targets", WORKFLOW / "experiments")
    for _, one in claims:
        for reduced in (False, True):
            for part in one.relations(reduced):
                for addresses in part.points().values():
                    for address in addresses:
                        measured.quantity(address, reduced)
    with pytest.raises(ValueError, match=r"unknown row 'pixels' .did you mean pixel"):
        measured.quantity("table6/pixels/resnet20", False)
    with pytest.raises(ValueError, match="no table with a row and a column"):
        measured.quantity("tabel6/pixel", False)
    # Three seeds of Figure 6 have the thesis' protocol, whichever preset trained them.
    assert len(measured.quantity("figure6/rfnn/n300", False).by_seed) >= 3
    assert measured.quantity("figure6/rfnn/n300", True).by_seed == {}


def test_command_prints_one_document(capsys):
    assert cli.main(["claims", "c3.small", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    keys = {"claim", "chapter", "statement", "where", "verdict", "difference", "interval", "n"}
    assert keys | {"run_ids", "protocol"} <= set(found)
    assert "closer than the thesis has it" in found["note"]
    assert cli.main(["claims", "c3.smoll"]) == 2
    assert "did you mean c3.small" in capsys.readouterr().err
