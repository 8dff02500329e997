"""The examples and limits in the docstrings of `structnets.nn`."""

from __future__ import annotations

import doctest
import inspect
import warnings

import pytest
from torch import nn

import structnets.nn


@pytest.mark.parametrize("name", structnets.nn.__all__)
def test_examples_run_and_limits_are_told(name: str) -> None:
    public = getattr(structnets.nn, name)
    documentation = inspect.getdoc(public) or ""
    if inspect.isclass(public) and issubclass(public, nn.Module):
        assert "Limits\n------" in documentation, f"{name} has no Limits paragraph"
    example = doctest.DocTestParser().get_doctest(documentation, {}, name, None, None)
    assert example.examples, f"{name} has no Examples"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report: list[str] = []
        doctest.DocTestRunner().run(example, out=report.append)
    assert not report, "".join(report)
