"""How each system is run: the command of a measurement, and what its output says."""
import gzip
import json
import os
import re
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import installation

HERE = Path(__file__).resolve().parent
TIME_LIMIT = 240  # seconds for one process
IDX_FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
             "t10k-labels-idx1-ubyte")
REQUIRES = {"pytorch_loader": "pytorch", "pytorch_preloaded": "pytorch", "import_torch": "pytorch",
            "onnxruntime_bound": "onnxruntime", "unroll_avx2": "unroll"}


class NotMeasured(Exception):
    """Why something has no result."""


@dataclass
class Kit:
    """What is there to measure with; `missing` names the systems that are not, with the reason."""
    scratch: Path
    unroll: Path
    onednn: Path
    missing: dict = field(default_factory=dict)
    images: Path = None  # MNIST's test images, as `unroll` finds them
    stripped_bytes: int = 0

    def python(self):
        return installation.VENV / "bin" / "python"

    def refuse_missing(self, system):
        why = self.missing.get(REQUIRES.get(system, system))
        if why:
            raise NotMeasured(why)


def find_mnist():
    """The folder of MNIST's four files: where `unroll` looks, in its order; or None."""
    cache = os.environ.get("XDG_CACHE_HOME", "")
    cache = cache if cache.startswith("/") else os.path.expanduser("~/.cache")
    for place in (os.environ.get("UNROLL_DATA_DIR"), f"{cache}/unroll"):
        folder = Path(place or "/nowhere") / "mnist"
        if all((folder / name).exists() or (folder / f"{name}.gz").exists() for name in IDX_FILES):
            return folder
    return None


def unpack_for_torchvision(folder, root):
    """Puts MNIST's files where torchvision looks: root/MNIST/raw, decompressed."""
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name in IDX_FILES:
        packed = folder / f"{name}.gz"
        with gzip.open(packed) if packed.exists() else open(folder / name, "rb") as source:
            with open(raw / name, "wb") as target:
                shutil.copyfileobj(source, target)


def prepare(systems, programs, scratch, unroll):
    """Installs and builds what `systems` need; `programs`: whole programs are measured too."""
    installation.install_debian_packages()
    missing = installation.install_python_peers({REQUIRES.get(s, s) for s in systems})
    why = None
    if not unroll:
        unroll, why = installation.build_program()
    if why:
        missing["unroll"] = why
    kit = Kit(scratch, Path(unroll).resolve(), None, missing)
    if "onednn" in systems:
        kit.onednn, why = installation.build_onednn()
        if why:
            missing["onednn"] = why
    if programs and "unroll" not in missing:
        prepare_programs(kit)
    return kit


def prepare_programs(kit):
    """Data, a trained model, and the size of the program; also warms the files' cache."""
    folder = find_mnist()
    if not folder:
        return
    unpack_for_torchvision(folder, kit.scratch / "torchvision")
    test = folder / IDX_FILES[2]
    kit.images = test if test.exists() else test.with_suffix(".gz")
    stripped = kit.scratch / "stripped"
    if not installation.attempt(["strip", "-o", stripped, kit.unroll]):
        kit.stripped_bytes = stripped.stat().st_size
    installation.say("training a model for predict")
    installation.attempt([kit.unroll, "train", "mnist", "--recipe", "sprint", "--quiet",
                          "--out", kit.scratch / "model"])


def run_process(command, extra_environment=None):
    """Runs a process to its end: (what it printed, wall milliseconds)."""
    environment = dict(os.environ, PYTHONDONTWRITEBYTECODE="1", **(extra_environment or {}))
    command = [str(part) for part in command]
    start = time.perf_counter()
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL, env=environment, timeout=TIME_LIMIT)
    except subprocess.TimeoutExpired:
        raise NotMeasured(f"did not end within {TIME_LIMIT} s") from None
    except OSError as error:
        raise NotMeasured(str(error)) from None
    wall = (time.perf_counter() - start) * 1e3
    if done.returncode:
        reason = installation.reason_in(done.stderr or done.stdout)
        raise NotMeasured(f"{Path(command[0]).name} ended with status {done.returncode}: {reason}")
    return done.stdout, wall


def last_json(printed):
    try:
        return json.loads(printed.splitlines()[-1])
    except (IndexError, ValueError):
        raise NotMeasured("it printed no JSON") from None


def measure(system, unit, seconds, kit):
    """One process: a dictionary with at least best_ms, median_ms, runs and label."""
    kit.refuse_missing(system)
    if unit.threads == 0:
        return measure_program(system, unit.workload, kit)
    flags = ["--threads", unit.threads, "--seconds", seconds]
    if system in ("unroll", "unroll_avx2"):
        only = ["--only", unit.workload]
        isa = {"UNROLL_ISA": "avx2"} if system == "unroll_avx2" else None
        printed, _ = run_process([kit.unroll, "bench", "--json", *only, *flags], isa)
        return result_of_unroll(last_json(printed), unit)
    if system == "onednn":
        command = [kit.onednn]
    elif system == "onnxruntime_bound":
        command = [kit.python(), HERE / "onnxruntime_step.py", "--bound"]
    else:
        command = [kit.python(), HERE / f"{system}_step.py"]
    printed, _ = run_process([*command, "--workload", unit.workload, *flags])
    result = last_json(printed)
    return {"label": result["system"],
            **{key: result[key] for key in ("best_ms", "median_ms", "runs")}}


def result_of_unroll(printed, unit):
    """Picks the unit's entry from what `unroll bench --json` printed."""
    for entry in printed["workloads"]:
        if entry["name"] == unit.workload and entry["threads"] == unit.threads:
            peak = printed["peak_gflops_core" if unit.threads == 1 else "peak_gflops_all"]
            machine = {key: printed.get(key) for key in ("isa", "l2_gb_per_s", "peak_gflops_core",
                                                         "revision")}
            return {"label": "", "peak_gflops": peak, **machine,
                    **{key: value for key, value in entry.items()
                       if key not in ("name", "threads")}}
    raise NotMeasured(f"unroll bench printed no {unit.workload} with {unit.threads} threads")


def measure_program(system, workload, kit):
    """A whole program, from its start to its exit."""
    if not kit.images:
        raise NotMeasured("MNIST is not here; `unroll data fetch mnist` gets it")
    train = [kit.unroll, "train", "mnist", "--out", kit.scratch / "run", "--recipe"]
    predict = [kit.unroll, "predict", kit.scratch / "model", kit.images, "--index", "0"]
    chapter = [kit.python(), HERE / "chapter.py", kit.scratch / "torchvision"]
    command = {
        ("chapter", "unroll"): [*train, "tutorial", "--clip-norm", "1"],
        ("chapter", "pytorch_loader"): chapter,
        ("chapter", "pytorch_preloaded"): [*chapter, "--preloaded"],
        ("sprint", "unroll"): [*train, "sprint"],
        ("sprint", "import_torch"): [kit.python(), "-c", "import torch"],
        ("predict", "unroll"): predict,
    }[workload, system]
    shutil.rmtree(kit.scratch / "run", ignore_errors=True)
    printed, wall = run_process(command)
    result = {"label": "" if system == "unroll" else f"PyTorch {installation.pinned('torch')}",
              "best_ms": wall, "median_ms": wall, "runs": 1}
    accuracies = re.findall(r"ccuracy: ([\d.]+)", printed)
    if accuracies:
        result["accuracy"] = float(accuracies[-1])
    if workload == "predict":
        result["stripped_bytes"] = kit.stripped_bytes
        result["peak_kb"] = peak_memory_of(command, kit)
    return result


def peak_memory_of(command, kit):
    """KB. GNU time's word for it: a child of this script counts the script's own memory too."""
    file = kit.scratch / "time"
    if installation.attempt(["/usr/bin/time", "-f", "%M", "-o", file, *command]):
        return 0
    return int(file.read_text().split()[-1])
