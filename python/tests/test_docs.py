"""Docstrings: every public name has one, and their examples run."""

import ast
import doctest
import inspect
import re
from pathlib import Path

import pytest

import unroll
from unroll import _core


def public_names():
    """Give each public class, function, method and property, with its full name."""
    for name in unroll.__all__:
        thing = getattr(unroll, name)
        yield name, thing
        if inspect.isclass(thing) and not issubclass(thing, Exception):
            for part, member in vars(thing).items():
                if not part.startswith("_"):
                    yield f"{name}.{part}", member


NAMES = dict(public_names())


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_is_described(name):
    text = inspect.getdoc(getattr(NAMES[name], "__func__", NAMES[name]))
    assert text
    thing = NAMES[name]
    signature = getattr(thing, "__nb_signature__", [[""]])[0][0]
    if inspect.isfunction(thing):
        parameters = list(inspect.signature(thing).parameters)
    else:
        parameters = re.findall(r"[(,] ?(\w+):", signature)
    for parameter in parameters:
        if parameter not in ("self", "options"):
            assert re.search(rf"^{parameter} : ", text, re.MULTILINE), f"{parameter} is not described"


@pytest.mark.parametrize("name", NAMES)
def test_examples_run(name, walks):
    text = inspect.getdoc(getattr(NAMES[name], "__func__", NAMES[name])) or ""
    if name == "from_torch":
        pytest.importorskip("torch", reason="PyTorch is not installed")
    test = doctest.DocTestParser().get_doctest(text, walks, name, None, 0)
    thing = NAMES[name]
    simple = isinstance(thing, property) or (inspect.isclass(thing) and issubclass(thing, Exception))
    assert test.examples or simple or inspect.isdatadescriptor(thing), "no example"
    assert doctest.DocTestRunner(verbose=False).run(test).failed == 0


def test_the_stub_has_the_functions_of_the_module():
    stub = ast.parse((Path(unroll.__file__).parent / "_core.pyi").read_text())
    described = {}
    for node in stub.body:
        members = node.body if isinstance(node, ast.ClassDef) else [node]
        for member in members:
            if isinstance(member, ast.FunctionDef):
                owner = f"{node.name}." if isinstance(node, ast.ClassDef) else ""
                arguments = [a.arg for a in member.args.posonlyargs + member.args.args]
                described[owner + member.name] = [a for a in arguments if a != "self"]
    for name, thing in inspect.getmembers(_core):
        owners = {name: thing}
        if inspect.isclass(thing):
            owners = {f"{name}.{part}": value for part, value in vars(thing).items()}
        for full, value in owners.items():
            signature = getattr(value, "__nb_signature__", None)
            if signature and not full.split(".")[-1].startswith("__"):
                found = re.findall(r"[(,] ?(\w+):", signature[0][0])
                assert described[full] == found, full
