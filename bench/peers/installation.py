"""Makes what the comparison needs: the virtual environment of the peers, and the programs.

Nothing here stops the comparison: what cannot be made is returned with the reason.
"""
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
VENV = ROOT / "build" / "peers-venv"

# A peer's packages (their versions are in requirements.txt) and the modules that must load.
PYTHON_PEERS = {
    "pytorch": ("torch torchvision numpy", "torch, torchvision"),
    "jax": ("jax numpy", "jax"),
    "onnxruntime": ("onnxruntime onnx numpy", "onnxruntime, onnx"),
}

DEBIAN_PACKAGES = {
    "libdnnl-dev": "oneDNN, a peer",
    "libbenchmark-dev": "the folder bench/ is configured with it",
    "python3-venv": "the peers' virtual environment",
    "time": "peak memory of a process",
}


def say(text):
    print(f"peers: {text}", file=sys.stderr, flush=True)


def reason_in(text):
    """The first line that speaks of an error; else the last one."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines[-1:] or ["no reason given"])[0]


def attempt(command, **options):
    """Runs a command; the reason of its failure, or None."""
    command = [str(part) for part in command]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL, **options)
    except OSError as error:
        return str(error)
    if done.returncode == 0:
        return None
    return f"{Path(command[0]).name}: {reason_in(done.stderr or done.stdout)}"


def pinned(package):
    """The version that requirements.txt names."""
    for line in (HERE / "requirements.txt").read_text().splitlines():
        name, _, version = line.partition("==")
        if name == package:
            return version
    raise KeyError(package)


def install_debian_packages():
    """Installs those that are missing, where there is an apt-get; says which and why first."""
    if not shutil.which("dpkg-query") or not shutil.which("apt-get"):
        return
    status = "install ok installed"
    missing = [package for package in DEBIAN_PACKAGES
               if subprocess.run(["dpkg-query", "-W", "-f", "${Status}", package],
                                 capture_output=True, text=True, check=False).stdout != status]
    if not missing:
        return
    for package in missing:
        say(f"installing {package}: {DEBIAN_PACKAGES[package]}")
    as_root = [] if os.geteuid() == 0 else ["sudo"]
    attempt([*as_root, "apt-get", "-qq", "update"])
    why = attempt([*as_root, "apt-get", "-qq", "-y", "--no-install-recommends", "--no-remove",
                   "install", *missing])
    if why:
        say(f"could not install {', '.join(missing)}: {why}")


def install_python_peers(wanted):
    """Returns {peer: why not} for those of `wanted` that cannot be had."""
    wanted = [peer for peer in PYTHON_PEERS if peer in wanted]
    if not wanted:
        return {}
    python = VENV / "bin" / "python"
    if not python.exists():
        say(f"making {VENV.relative_to(ROOT)}")
        why = attempt([sys.executable, "-m", "venv", VENV])
        if why:
            return {peer: f"no virtual environment: {why}" for peer in wanted}
    missing = {}
    for peer in wanted:
        packages, modules = PYTHON_PEERS[peer]
        say(f"{packages}: installing what is missing")
        # Only what is missing is fetched: with all of it there, this needs no network.
        why = attempt([python, "-m", "pip", "install", "-q", "--disable-pip-version-check",
                       "-c", HERE / "requirements.txt", *packages.split()])
        why = why or attempt([python, "-c", f"import {modules}"])
        if why:
            missing[peer] = why
    return missing


def build_program():
    """Builds the release program: (its path, why not)."""
    say("building unroll")
    why = attempt(["cmake", "--preset", "release"], cwd=ROOT) or attempt(
        ["cmake", "--build", "--preset", "release", "--target", "unroll_program"], cwd=ROOT)
    return ROOT / "build" / "release" / "unroll", why


def build_onednn():
    """Builds onednn_step: (its path, why not)."""
    say("building the oneDNN program")
    why = attempt(["cmake", "--preset", "bench"], cwd=ROOT) or attempt(
        ["cmake", "--build", "--preset", "bench", "--target", "onednn_step"], cwd=ROOT)
    if why and "unknown target" in why:
        why = "bench/CMakeLists.txt found no oneDNN 2 (Debian's libdnnl-dev)"
    return ROOT / "build" / "bench" / "bench" / "onednn_step", why
