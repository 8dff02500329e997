import pytest

from tests.made_study import MadeStudy, make_study


@pytest.fixture(scope="package")
def study(tmp_path_factory) -> MadeStudy:
    return make_study(tmp_path_factory.mktemp("study"), train_sizes=["all"], seeds=1)
