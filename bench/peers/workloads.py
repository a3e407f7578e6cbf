"""The workloads, who takes part in each, and what their names mean.

A unit is one workload at one number of threads; its systems are measured in alternation. The names
are those of `unroll bench --list`, and three whole programs: chapter, sprint and predict.
"""
import re
from dataclasses import dataclass

THREADS = 2  # the larger of the two numbers of threads


@dataclass(frozen=True)
class Sizes:
    """What a workload's name says: N sequences of T time steps, I inputs, H hidden units.

    Of a cnn: N images of T rows and I columns, H channels after the first of L convolutions, twice
    as many after each further one.
    """
    model: str  # rnn, lstm, gru, cnn
    nonlinearity: str  # relu or tanh, of an rnn
    layers: int
    bidirectional: bool
    ragged: str  # how long the sequences are: "" (all T), mixed, onelong
    steps: int
    inputs: int
    hidden: int
    batch: int

    def lengths(self):
        """The steps of each sequence, as `unroll bench` has them."""
        if self.ragged == "mixed":
            return [max(1, (37 * i % self.batch + 1) * self.steps // self.batch)
                    for i in range(self.batch)]
        if self.ragged == "onelong":
            return [self.steps] + [min(5, self.steps)] * (self.batch - 1)
        return [self.steps] * self.batch

    def batches(self):
        """Batches of data to train on: of small ones many, and in all no more than is soon made."""
        return max(2, min(20, (8 << 20) // (self.batch * self.steps * self.inputs)))


RECURRENT = re.compile(
    r"(train|step)/(?:(lstm|gru)|(rnn)_(relu|tanh))(?:_(\d+)layers)?(_bidirectional)?"
    r"(?:_(mixed|onelong))?/(?:t(\d+)_)?i(\d+)_h(\d+)(?:_n(\d+))?")
CNN = re.compile(r"train/cnn(?:_(\d+)layers)?/(\d+)x(\d+)_c(\d+)_n(\d+)")


def sizes_of(workload):
    """The sizes in train/lstm_2layers/t28_i28_h100_n100, step/gru/i28_h100, or a cnn's."""
    if match := CNN.fullmatch(workload):
        layers, *sizes = (int(number or 1) for number in match.groups())
        return Sizes("cnn", "", layers, False, "", *sizes)
    match = RECURRENT.fullmatch(workload)
    if not match or (match[1] == "train") != bool(match[8] and match[11]):
        raise ValueError(
            f"[workload] '{workload}', expected train/rnn_relu/t28_i28_h100_n100, "
            "train/cnn_2layers/28x28_c16_n100, step/lstm/i28_h100 or the like; `unroll bench "
            "--list` prints the names, and Unroll alone has regularisers, optimizers and bf16")
    return Sizes(match[2] or match[3], match[4] or "", int(match[5] or 1), bool(match[6]),
                 match[7] or "", int(match[8] or 1), int(match[9]), int(match[10]),
                 int(match[11] or 1))


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
CNN_STEP = "train/cnn_2layers/28x28_c16_n100"
LARGE = {256: "t64_i128_h256_n64", 512: "t64_i256_h512_n64", 1024: "t32_i1024_h1024_n64"}
RAGGED = {"mixed": "t64_i128_h256_n64", "onelong": "t500_i128_h256_n64"}
# What follows the cell's name, what follows it without the regulariser, and how many steps of that
# one step may cost; a penalty of activations is the loss's, not the layer's.
REGULARISERS = (("variational", "", 1.10), ("recurrentdropout", "", 1.10), ("zoneout", "", 1.10),
                ("weightdrop", "", 1.10), ("layernorm", "", 1.35), ("activation", "", None),
                ("2layers_dropout", "_2layers", 1.10))
STREAMED = ("i1_h8", "i1_h16", "i1_h24", "i1_h40", "i28_h100", "i28_h256")
ALL = ("unroll", "pytorch", "jax", "onednn")


def _units():
    both = "unroll", "pytorch"
    called = "pytorch", "onnxruntime", "onnxruntime_bound"
    units = [
        Unit(f"train/rnn_relu/{CHAPTER_STEP}", 1, (*ALL, "unroll_avx2")),
        Unit(f"train/rnn_relu/{CHAPTER_STEP}", THREADS, ALL),
        Unit(f"train/rnn_relu_muon/{CHAPTER_STEP}", THREADS, ("unroll",)),
        Unit(f"train/rnn_relu_bf16/{CHAPTER_STEP}", THREADS, ("unroll",)),
        Unit(f"train/rnn_tanh/{CHAPTER_STEP}", THREADS, both),
        Unit(f"train/rnn_relu_2layers/{CHAPTER_STEP}", THREADS, both),
        *(Unit(f"train/rnn_relu/t64_i{h}_h{h}_n64", THREADS, ("unroll", "pytorch", "jax"))
          for h in LARGE),
        Unit("train/rnn_relu/t784_i1_h100_n100", THREADS, ("unroll", "pytorch", "jax")),
    ]
    for cell in ("lstm", "gru"):
        units.append(Unit(f"train/{cell}/{CHAPTER_STEP}", THREADS, ALL))
        units += [Unit(f"train/{cell}/{sizes}", THREADS, ALL if h == 256 else (*both, "onednn"))
                  for h, sizes in LARGE.items()]
    units.append(Unit("train/lstm_2layers_bidirectional/t100_i128_h256_n64", THREADS, both))
    units += [Unit(f"train/lstm_{lengths}/{sizes}", THREADS, both)
              for lengths, sizes in RAGGED.items()]
    units += [Unit(f"train/{cell}_{variant}/{CHAPTER_STEP}", THREADS, ("unroll",))
              for cell in ("lstm", "gru")
              for variant in (*(name for name, _, _ in REGULARISERS), "2layers")]
    units.append(Unit(CNN_STEP, THREADS, ("unroll", "pytorch", "jax")))
    units.append(Unit("eval/rnn_relu/t28_i28_h100", THREADS, ("unroll",)))
    for cell in ("rnn_relu", "lstm", "gru"):
        for sizes in STREAMED:
            more = {"i1_h16": ("onnxruntime",), "i28_h100": called, "i28_h256": called}
            units.append(Unit(f"step/{cell}/{sizes}", 1, ("unroll", *more.get(sizes, ()))))
    # Whole programs, with the threads that each takes when nobody tells it.
    units += [Unit("chapter", 0, ("unroll", "pytorch_loader", "pytorch_preloaded")),
              Unit("sprint", 0, ("unroll", "import_torch")),
              Unit("predict", 0, ("unroll",))]
    return tuple(units)


UNITS = _units()


@dataclass(frozen=True)
class Hope:
    """A figure that was hoped for: what it is, its limit, and whether it is the least or the most.

    `of` names the system whose time is divided by Unroll's; else `figure` is read from Unroll's own
    results; `over` is the other unit that it is divided by. `each`: times are for as much useful
    arithmetic.
    """
    text: str
    workload: str
    threads: int
    limit: float
    least: bool = True
    of: str = ""
    figure: str = ""
    over: tuple = ()
    each: bool = False
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
                   figure="share") for h in LARGE]
    return (*hopes, *_hopes_of_gated_layers(), *_hopes_of_variants(), *_hopes_of_streams())


def _hopes_of_gated_layers():
    against_pytorch = {("lstm", 100): 1.7, ("lstm", 512): 1.35,
                       ("gru", 100): 3.2, ("gru", 256): 1.7}
    hopes = []
    for cell in ("lstm", "gru"):
        for h, sizes in {100: CHAPTER_STEP, **LARGE}.items():
            step = f"train/{cell}/{sizes}"
            hopes.append(Hope(f"{cell.upper()}, H {h}, share of peak", step, 2,
                              0.75 if h == 100 else 0.85, figure="share"))
            if (cell, h) in against_pytorch:
                hopes.append(Hope(f"{cell.upper()}, H {h}, against PyTorch", step, 2,
                                  against_pytorch[cell, h], of="pytorch"))
    return hopes


def _hopes_of_variants():
    hopes = [Hope(f"{cell.upper()} with {regulariser}, in steps of the plain cell",
                  f"train/{cell}_{regulariser}/{CHAPTER_STEP}", 2,
                  goal, least=False, figure="ms",
                  over=(f"train/{cell}{plain}/{CHAPTER_STEP}", 2))
             for cell in ("lstm", "gru") for regulariser, plain, goal in REGULARISERS if goal]
    dense = f"train/lstm/{LARGE[256]}", 2
    hopes.append(Hope("time per step: mixed lengths, divided by equal lengths",
                      f"train/lstm_mixed/{RAGGED['mixed']}", 2, 1.10, least=False, figure="ms",
                      over=dense, each=True))
    return hopes


def _hopes_of_streams():
    hopes = []
    for cell in ("lstm", "gru"):
        step = f"step/{cell}/i28_h100"
        what = f"{cell.upper()}, H 100, one time step"
        hopes += [Hope(f"{what}, share of L2's bandwidth", step, 1, 0.80, figure="share_of_l2"),
                  Hope(f"{what}, against a call of ONNX Runtime", step, 1, 6, of="onnxruntime")]
    return hopes


HOPES = _hopes()
