"""What the pages of the documentation say to Python is true, and the examples run."""

import doctest
import re

import pytest
from conftest import ROOT

PAGES = ["README.md", "docs/python.md", "python/README.md"]


def sections():
    """Give the name of each section with lines for Python, and its text."""
    for page in PAGES:
        for text in re.split(r"^(?=## )", (ROOT / page).read_text(), flags=re.MULTILINE):
            if ">>> " in text or "```python" in text:
                yield f"{page}: {text.splitlines()[0]}", text


SECTIONS = dict(sections())


@pytest.mark.parametrize("name", SECTIONS)
def test_the_lines_of_a_page_run(name, walks):
    text = SECTIONS[name]
    if re.search(r"^(    >>> )?import .*\btorch\b", text, re.MULTILINE):
        pytest.importorskip("torch", reason="PyTorch is not installed")
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(block, walks)
    test = doctest.DocTestParser().get_doctest(text, walks, name, None, 0)
    assert doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test).failed == 0
