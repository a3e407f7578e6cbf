"""What the tests share: the program, and models with random weights."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from models import linear, make, recurrent, series

import unroll
from unroll import _core

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def program():
    """Run the program; skip where it was not built."""
    path = os.environ.get("UNROLL") or shutil.which("unroll") or ROOT / "build/release/unroll"
    if not os.access(path, os.X_OK):
        pytest.skip("the program unroll is not here: ./dev build makes it")

    def run(*arguments):
        done = subprocess.run(
            [path, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=300
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def walks(tmp_path, monkeypatch):
    """Give what examples use: a model of walks in runs/walks, and x of 4 walks; they run in a new folder."""
    monkeypatch.chdir(tmp_path)
    model = make(series(2), recurrent("gru", 2, 8), linear(8, 3))
    (tmp_path / "runs/walks").mkdir(parents=True)
    model.save(tmp_path / "runs/walks/model.safetensors")
    x = np.random.default_rng(0).normal(size=(4, 10, 2)).astype("float32")
    return {"unroll": unroll, "np": np, "model": model, "x": x}


@pytest.fixture(autouse=True)
def threads_of_their_own(request):
    """Run the tests that are not of unroll.torch in Unroll's own threads, whatever ran before."""
    if "unroll.torch" in sys.modules and not request.module.__name__.startswith("test_torch"):
        _core.unfollow_torch()
        yield
        _core.follow_torch()
    else:
        yield
