import re

import pytest
import yaml

from structnets.identity import run_id
from structnets.reporting.ledger import append, ledger_line
from structnets.reporting.plan import BATCH_SIZE, make_plan
from structnets.specs.configuration import load_configuration
from tests.made_results import WORKFLOW, make_result


@pytest.fixture
def plan(folder):
    """Return a maker of plans of the made table."""

    def make(**changes):
        names = ("targets", "experiments")
        roots = {**dict(zip(names, names, strict=True)), "ledger_root": "ledger"}
        places = {key: str(folder / name) for key, name in roots.items()}
        return make_plan(load_configuration({"preset": "small", **places, **changes}))

    return make


def test_plan_of_the_floor(plan):
    made = plan()
    assert len(made.needed["table0"]) == len(made.specs) == 3
    assert all(run_id(spec) == run for run, spec in made.specs.items())
    assert made.uses == {
        run: [f"table0/net/n{spec['data']['train_size']}"] for run, spec in made.specs.items()
    }
    assert made.batches == {}


def test_run_in_the_ledger_is_not_needed_unless_ignored(plan, folder):
    first = next(iter(plan().specs.values()))
    append(folder / "ledger", [ledger_line(make_result(first))])
    assert len(plan().needed["table0"]) == 2
    assert len(plan().requested["table0"]) == 3
    assert len(plan(ledger="ignore").needed["table0"]) == 3


def test_short_runs_share_jobs_by_worker_count(plan):
    made = plan(preset="smoke", seeds=BATCH_SIZE + 1, workers={"smoke": {"cnn_b": 2}})
    sizes = {name: len(runs) for name, runs in made.batches.items()}
    assert sizes == {"train_chapter3_workers2_0": BATCH_SIZE, "train_chapter3_workers2_1": 1}
    assert set().union(*made.batches.values()) == set(made.specs)


@pytest.fixture
def spread(folder):
    """Let the made experiment ask for three nodes in small, and for two in smoke."""
    path = folder / "experiments" / "net.yaml"
    asked = {"small": {"size": "large", "nodes": 3}, "smoke": {"nodes": 2}}
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), "resources": asked}))


@pytest.mark.usefixtures("spread")
@pytest.mark.parametrize(
    ("changes", "nodes"),
    [({}, 3), ({"nodes": 2}, 2), ({"workers": {"small": {"default": 2}}}, 2), ({"workers": {}}, 1)],
)
def test_nodes_are_those_asked_for_within_bounds(plan, changes, nodes):
    made = plan(**{"workers": {"small": {"default": 4}}, **changes})
    assert {given.nodes for given in made.resources.values()} == {nodes}
    assert {given.size for given in made.resources.values()} == {"large"}


def test_usual_size(plan):
    assert {given.size for given in plan().resources.values()} == {"medium"}
    assert {given.size for given in plan(preset="smoke").resources.values()} == {"small"}


def test_resources_are_no_part_of_a_spec(plan, folder, request):
    before = set(plan().specs)
    request.getfixturevalue("spread")
    assert set(plan().specs) == before


@pytest.mark.usefixtures("spread")
def test_short_runs_of_several_nodes_have_jobs_of_their_own(plan):
    made = plan(preset="smoke", workers={"smoke": {"cnn_b": 2}})
    assert set(made.batches) == {"train_chapter3_workers2_nodes2_0"}


def test_committed_plan_has_the_sweep_of_its_preset():
    made = make_plan(
        load_configuration({"targets": str(WORKFLOW / "targets"), "ledger_root": "nowhere",
                            "experiments": str(WORKFLOW / "experiments")})
    )  # fmt: skip
    assert made.sweeps["sweep_rfnn_basis"]["preset"] == "smoke"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rows": "net,nat"}, "rows=nat: no table has it; allowed: all, net"),
        ({"columns": "n3"}, "columns=n3: no table has it; allowed: all, n100, n200"),
        ({"preset": "paper"}, "no preset 'paper'"),
        ({"presett": "small"}, "presett: unknown key; allowed here: preset, study, rows"),
        ({"seeds": 0}, "seeds: Input should be greater than or equal to 1"),
        ({"ledger": "no"}, "'use' or 'ignore'"),
    ],
)
def test_mistake_in_the_configuration_is_named(plan, changes, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        plan(**changes)


def test_workers_by_preset_and_model():
    workers = {"smoke": {"default": 3, "cnn_b": 2}}
    smoke = load_configuration({"workers": workers})
    assert (smoke.workers_of("cnn_b"), smoke.workers_of("rfnn_mnist")) == (2, 3)
    assert load_configuration({"workers": workers, "preset": "small"}).workers_of("cnn_b") == 1
