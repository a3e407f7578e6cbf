"""The workloads, who takes part in each, and what their names mean.

A unit is one workload at one number of threads; its systems are measured in alternation. The names
are those of `unroll bench --list`, and three whole programs: chapter, sprint and predict.
"""
import re
from dataclasses import dataclass

THREADS = 2  # the larger of the two numbers of threads


@dataclass(frozen=True)
class Sizes:
    """What a workload's name says: N sequences of T time steps, I inputs, H hidden units."""
    nonlinearity: str
    layers: int
    steps: int
    inputs: int
    hidden: int
    batch: int


def sizes_of(workload):
    """The sizes in train/rnn_relu_2layers/t28_i28_h100_n100, or in step/rnn_relu/i28_h100."""
    match = re.fullmatch(r"(train|step)/rnn_(relu|tanh)(?:_(\d+)layers)?/"
                         r"(?:t(\d+)_)?i(\d+)_h(\d+)(?:_n(\d+))?", workload)
    if not match or (match[1] == "train") != bool(match[4] and match[7]):
        raise ValueError(f"[workload] '{workload}', expected train/rnn_relu/t28_i28_h100_n100 or "
                         "step/rnn_relu/i28_h100; `unroll bench --list` prints the names")
    return Sizes(match[2], int(match[3] or 1), int(match[4] or 1), int(match[5]), int(match[6]),
                 int(match[7] or 1))


@dataclass(frozen=True)
class Unit:
    workload: str
    threads: int
    systems: tuple

    def __str__(self):
        count = {0: "its own threads", 1: "1 thread"}.get(self.threads, f"{self.threads} threads")
        return f"{self.workload}, {count}"


# What a system is called on the page; versions come from what each program prints.
TITLES = {
    "unroll": "Unroll",
    "unroll_avx2": "Unroll, AVX2",
    "pytorch": "PyTorch",
    "jax": "JAX",
    "onnxruntime": "ONNX Runtime",
    "onnxruntime_bound": "ONNX Runtime, IO bound",
    "onednn": "oneDNN, layer alone",
    "pytorch_loader": "PyTorch, the chapter's script",
    "pytorch_preloaded": "PyTorch, data preloaded",
    "import_torch": "`import torch`",
}

CHAPTER_STEP = "t28_i28_h100_n100"
UNITS = (
    Unit(f"train/rnn_relu/{CHAPTER_STEP}", 1,
         ("unroll", "pytorch", "jax", "onednn", "unroll_avx2")),
    Unit(f"train/rnn_relu/{CHAPTER_STEP}", THREADS, ("unroll", "pytorch", "jax", "onednn")),
    Unit(f"train/rnn_relu_muon/{CHAPTER_STEP}", THREADS, ("unroll",)),
    Unit(f"train/rnn_relu_bf16/{CHAPTER_STEP}", THREADS, ("unroll",)),
    Unit(f"train/rnn_tanh/{CHAPTER_STEP}", THREADS, ("unroll", "pytorch")),
    Unit(f"train/rnn_relu_2layers/{CHAPTER_STEP}", THREADS, ("unroll", "pytorch")),
    Unit("train/rnn_relu/t64_i256_h256_n64", THREADS, ("unroll", "pytorch", "jax")),
    Unit("train/rnn_relu/t64_i512_h512_n64", THREADS, ("unroll", "pytorch", "jax")),
    Unit("train/rnn_relu/t64_i1024_h1024_n64", THREADS, ("unroll", "pytorch", "jax")),
    Unit("train/rnn_relu/t784_i1_h100_n100", THREADS, ("unroll", "pytorch", "jax")),
    Unit("eval/rnn_relu/t28_i28_h100", THREADS, ("unroll",)),
    Unit("step/rnn_relu/i28_h100", 1, ("unroll", "pytorch", "onnxruntime", "onnxruntime_bound")),
    Unit("step/rnn_relu/i28_h256", 1, ("unroll", "pytorch", "onnxruntime", "onnxruntime_bound")),
    # Whole programs, with the threads that each takes when nobody tells it.
    Unit("chapter", 0, ("unroll", "pytorch_loader", "pytorch_preloaded")),
    Unit("sprint", 0, ("unroll", "import_torch")),
    Unit("predict", 0, ("unroll",)),
)


@dataclass(frozen=True)
class Hope:
    """A figure that was hoped for: what it is, its limit, and whether it is the least or the most.

    `of` names the system whose time is divided by Unroll's; else `figure` is read from Unroll's own
    results; `over` is the other unit that it is divided by.
    """
    text: str
    workload: str
    threads: int
    limit: float
    least: bool = True
    of: str = ""
    figure: str = ""
    over: tuple = ()
    system: str = "unroll"


def _hopes():
    step = f"train/rnn_relu/{CHAPTER_STEP}"
    hopes = [
        Hope("the tutorial's step, 2 threads, share of peak", step, 2, 0.80, figure="share"),
        Hope("the tutorial's step, 2 threads, against PyTorch", step, 2, 3.5, of="pytorch"),
        Hope("the tutorial's step, 2 threads, against JAX", step, 2, 3, of="jax"),
        Hope("the tutorial's step, 1 thread, share of peak", step, 1, 0.85, figure="share"),
        Hope("the tutorial's step, 1 thread, AVX2, share of peak", step, 1, 0.80, figure="share",
             system="unroll_avx2"),
        Hope("the tutorial's step, 2 threads against 1", step, 2, 1.85, figure="ms",
             over=(step, 1)),
        Hope("Muon's step in steps of SGD", f"train/rnn_relu_muon/{CHAPTER_STEP}", 2, 1.25,
             least=False, figure="ms", over=(step, 2)),
        Hope("bf16 against f32", f"train/rnn_relu_bf16/{CHAPTER_STEP}", 2, 1.6, figure="ms",
             over=(step, 2)),
        Hope("evaluation, share of peak", "eval/rnn_relu/t28_i28_h100", 2, 0.85, figure="share"),
        Hope("pixel by pixel, against PyTorch", "train/rnn_relu/t784_i1_h100_n100", 2, 4,
             of="pytorch"),
        Hope("one time step, microseconds", "step/rnn_relu/i28_h100", 1, 0.6, least=False,
             figure="us"),
        Hope("one time step, share of L2's bandwidth", "step/rnn_relu/i28_h100", 1, 0.80,
             figure="share_of_l2"),
        Hope("one time step, against a call of ONNX Runtime", "step/rnn_relu/i28_h100", 1, 10,
             of="onnxruntime"),
        Hope("the same, its inputs and outputs bound", "step/rnn_relu/i28_h100", 1, 10,
             of="onnxruntime_bound"),
        Hope("the whole chapter, against its script", "chapter", 0, 10, of="pytorch_loader"),
        Hope("the whole chapter, against PyTorch with preloaded data", "chapter", 0, 3,
             of="pytorch_preloaded"),
        Hope("the sprint, against `import torch`", "sprint", 0, 1, of="import_torch"),
        Hope("the sprint's accuracy, %", "sprint", 0, 98, figure="accuracy"),
        Hope("a fresh process of `unroll predict`, milliseconds", "predict", 0, 20, least=False,
             figure="ms"),
    ]
    hopes += [Hope(f"H {h}, share of peak", f"train/rnn_relu/t64_i{h}_h{h}_n64", 2, 0.88,
                   figure="share") for h in (256, 512, 1024)]
    return tuple(hopes)


HOPES = _hopes()
