"""A net is loaded by the address of the MLflow run that has it."""

import pytest

import structnets
from tests.made_study import make_study


@pytest.mark.slow
def test_a_run_in_the_store_of_the_results_is_loaded(tmp_path, monkeypatch):
    from mlflow import MlflowClient

    made = make_study(tmp_path, train_sizes=["all"], seeds=1)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    store = f"sqlite:///{made.results.resolve() / 'mlflow.db'}"
    client = MlflowClient(store)
    experiment = client.create_experiment("own", artifact_location=(tmp_path / "a").as_uri())
    run = client.create_run(experiment).info.run_id
    client.log_artifact(run, str(made.run / "model.pt"), "files")
    loaded = structnets.load(f"runs:/{run}", results=made.results)
    assert loaded.run_id == made.run.name
    with pytest.raises(FileNotFoundError, match="not found; MLflow has no weights there"):
        structnets.load(f"runs:/{'0' * 32}", results=made.results)
