"""Docstrings of unroll.torch: every public name has one, and their examples run."""

import doctest
import inspect
import re

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

import unroll.torch  # noqa: E402

NAMES = {name: getattr(unroll.torch, name) for name in unroll.torch.__all__}
METHODS = {
    f"Stepper.{name}": member
    for name, member in vars(unroll.torch.Stepper).items()
    if name == "__call__" or not name.startswith("_")
}


@pytest.mark.parametrize("name", [*NAMES, *METHODS])
def test_every_public_name_is_described(name):
    thing = (NAMES | METHODS)[name]
    text = inspect.getdoc(thing)
    assert text
    if inspect.isfunction(thing):
        for parameter in inspect.signature(thing).parameters:
            assert parameter == "self" or re.search(rf"^{parameter} : ", text, re.MULTILINE), parameter


@pytest.mark.parametrize("name", [*NAMES, *METHODS])
def test_examples_run(name):
    text = inspect.getdoc((NAMES | METHODS)[name])
    test = doctest.DocTestParser().get_doctest(text, {}, name, None, 0)
    assert test.examples
    assert doctest.DocTestRunner(verbose=False).run(test).failed == 0
