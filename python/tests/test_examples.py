"""The examples in Python run, in a short form, and do what they say."""

import csv
import importlib.util
import os
import re
import subprocess
import sys

import pytest
from conftest import ROOT

DATA = [os.environ.get("UNROLL_DATA_DIR", ""), str(ROOT.parent / "shared/data")]
DATA = [folder for folder in DATA if folder and os.path.isdir(os.path.join(folder, "mnist"))]


def run(name, *arguments, **environment):
    """Run an example and give what it prints."""
    done = subprocess.run(
        [sys.executable, "-P", "-W", "error::UserWarning", ROOT / "examples" / name, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        env=os.environ | {"OMP_NUM_THREADS": "1"} | environment,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def need(*packages):
    for package in packages:
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")


def test_real_time():
    printed = run("realtime.py")
    assert re.search(r"1000 steps: median [\d.]+ us, 99.9th percentile [\d.]+ us, worst", printed)


def test_real_time_with_a_model(walks, tmp_path):
    printed = run("realtime.py", tmp_path / "runs/walks")
    assert "1000 steps" in printed


def test_the_tutorial():
    need("torch")
    if not DATA:
        pytest.skip("MNIST is not here; name its folder in UNROLL_DATA_DIR")
    printed = run("tutorial.py", "--iterations", 30, UNROLL_DATA_DIR=DATA[0])
    # Both train from the same weights on the same batches. So few steps do not drive them apart.
    losses = re.findall(r"Iteration: 30, Loss: ([\d.]+)", printed)
    assert len(losses) == 2
    assert float(losses[0]) == pytest.approx(float(losses[1]), abs=2e-3)
    assert float(losses[0]) < 2.4  # near log 10 or below
    assert re.search(r"PyTorch [\d.]+ s, with Unroll [\d.]+ s", printed)


def test_the_tutorial_without_data(tmp_path):
    need("torch")
    if os.path.isdir("/usr/share/datasets/fashion-mnist"):
        pytest.skip("Fashion-MNIST takes the place of MNIST here")
    with pytest.raises(AssertionError, match=r"tutorial.py: MNIST is not in .* set UNROLL_DATA_DIR"):
        run("tutorial.py", UNROLL_DATA_DIR=str(tmp_path), XDG_CACHE_HOME=str(tmp_path))


def returns(path):
    with open(path, newline="") as file:
        return [float(row["mean return"]) for row in csv.DictReader(file)]


def test_reinforcement_learning(tmp_path):
    """A policy with memory soon balances the pole longer than one without memory ever does."""
    need("torch", "gymnasium")
    run("rl.py", "--chunks", 25, "--curve", tmp_path / "gru.csv")
    run("rl.py", "--chunks", 25, "--no-memory", "--curve", tmp_path / "none.csv")
    memory, without = returns(tmp_path / "gru.csv"), returns(tmp_path / "none.csv")
    assert len(memory) == 25
    assert max(memory) > 100
    assert max(without) < 70
    run("rl.py", "--chunks", 3, "--curve", tmp_path / "again.csv")
    assert returns(tmp_path / "again.csv") == memory[:3]  # the same, for a seed


def test_sequences_learn_as_the_loop_does(tmp_path):
    need("torch", "gymnasium")
    run("rl.py", "--chunks", 2, "--curve", tmp_path / "one_call.csv")
    run("rl.py", "--chunks", 2, "--loop", "--curve", tmp_path / "loop.csv")
    assert returns(tmp_path / "one_call.csv")[:1] == returns(tmp_path / "loop.csv")[:1]
    assert returns(tmp_path / "one_call.csv")[1] == pytest.approx(returns(tmp_path / "loop.csv")[1], rel=0.1)
