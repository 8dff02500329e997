from structnets.reporting.numbers import spent_s


def test_a_run_that_was_stopped_took_longer_than_its_last_attempt():
    assert spent_s({"wall_s": 12.5, "train_s": 10.0}) == 12.5
    assert spent_s({"wall_s": 12.5, "train_s": 300.0}) == 300.0
