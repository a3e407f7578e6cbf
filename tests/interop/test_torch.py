"""With PyTorch, both ways: what each writes the other reads, and both compute the same."""
import argparse
import collections
import datetime
import decimal
import enum
import json
import os
import pathlib

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

TOLERANCE = 1e-5
CELLS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


class Net(nn.Module):
    """Recurrent layers and a linear readout of their last states."""

    def __init__(self, cell="lstm", inputs=5, hidden=9, outputs=3, dtype=torch.float32, **options):
        super().__init__()
        self.rnn = CELLS[cell](inputs, hidden, batch_first=True, dtype=dtype, **options)
        width = options.get("proj_size", 0) or hidden
        ways = 2 if options.get("bidirectional") else 1
        self.fc = nn.Linear(ways * width, outputs, dtype=dtype)

    def forward(self, x):
        _, state = self.rnn(x)
        h_n = state[0] if isinstance(state, tuple) else state
        ways = 2 if self.rnn.bidirectional else 1
        return self.fc(torch.cat([*h_n[-ways:]], dim=-1))


def architecture(cell, **layer):
    recurrent = {"type": cell, "name": "rnn", "readout": "last", **layer}
    return {"layers": [recurrent, {"type": "linear", "name": "fc"}]}


@pytest.fixture
def bring(unroll, tmp_path):
    """Imports a network's weights and has the import compared with its outputs."""

    def run(net, layers, x=None, state=None, save=torch.save, name="weights.pt",
            more=(), **kwargs):
        net.eval()
        if x is None:
            x = torch.randn(4, 11, 5)
        with torch.no_grad():
            y = net(x.to(next(net.parameters()).dtype)).float()
        np.save(tmp_path / "in.npy", x.numpy())
        np.save(tmp_path / "out.npy", y.numpy())
        (tmp_path / "arch.json").write_text(json.dumps(layers))
        save(net.state_dict() if state is None else state, tmp_path / name)
        text = unroll("import", tmp_path / name, "--arch", tmp_path / "arch.json", "-o",
                      tmp_path / "model.safetensors", "--check", tmp_path / "in.npy",
                      tmp_path / "out.npy", "--tolerance", TOLERANCE, *more, **kwargs)
        return text, x, y

    return run


def predicted(unroll, folder, x):
    np.save(folder / "x.npy", x.numpy())
    unroll("predict", folder / "model.safetensors", folder / "x.npy", "--out", folder / "y.npy")
    return np.load(folder / "y.npy")


ARCHITECTURES = [
    ("rnn", {"nonlinearity": "tanh"}),
    ("rnn", {"nonlinearity": "relu", "num_layers": 2, "bias": False}),
    ("rnn", {"nonlinearity": "tanh", "bidirectional": True}),
    ("lstm", {}),
    ("lstm", {"num_layers": 3}),
    ("lstm", {"num_layers": 2, "bidirectional": True}),
    ("lstm", {"num_layers": 2, "proj_size": 4, "bidirectional": True}),
    ("lstm", {"bias": False}),
    ("gru", {}),
    ("gru", {"num_layers": 2, "bidirectional": True}),
]


@pytest.mark.parametrize("cell, options", ARCHITECTURES)
@pytest.mark.parametrize("save, name", [(torch.save, "net.pt"), (save_file, "net.safetensors")])
def test_outputs_are_the_originals(bring, unroll, tmp_path, cell, options, save, name):
    torch.manual_seed(1)
    said = {"nonlinearity": options["nonlinearity"]} if cell == "rnn" else {}
    net = Net(cell, **options)
    text, x, y = bring(net, architecture(cell, **said), save=save, name=name)
    assert "within 1e-05" in text
    assert np.abs(predicted(unroll, tmp_path, x) - y.numpy()).max() <= TOLERANCE


@pytest.mark.parametrize("cell, options", ARCHITECTURES)
def test_what_unroll_saves_loads_strictly(bring, tmp_path, cell, options):
    torch.manual_seed(2)
    said = {"nonlinearity": options["nonlinearity"]} if cell == "rnn" else {}
    net = Net(cell, **options)
    bring(net, architecture(cell, **said))
    other = Net(cell, **options)
    other.load_state_dict(load_file(tmp_path / "model.safetensors"), strict=True)
    for name, tensor in net.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name]), name


@pytest.mark.parametrize("name, flags, layer", [
    ("rnn", [], lambda: nn.RNN(28, 100, nonlinearity="relu")),
    ("rnn", ["--activation", "tanh"], lambda: nn.RNN(28, 100)),
    ("lstm", ["--model", "lstm", "--hidden", "16", "--layers", "2"],
     lambda: nn.LSTM(28, 16, num_layers=2)),
    ("gru", ["--model", "gru", "--hidden", "16", "--bidirectional"],
     lambda: nn.GRU(28, 16, bidirectional=True)),
])
def test_what_unroll_trained_loads_strictly(unroll, tmp_path, name, flags, layer):
    """A model that `unroll train` wrote, and the outputs of both for one sequence."""
    images = np.random.default_rng(3).integers(0, 256, (60, 28, 28), dtype=np.uint8)
    folder = tmp_path / "data" / "mnist"
    folder.mkdir(parents=True)
    for part in ("train", "t10k"):
        (folder / f"{part}-images-idx3-ubyte").write_bytes(
            bytes([0, 0, 8, 3]) + np.array(images.shape, ">i4").tobytes() + images.tobytes())
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(
            bytes([0, 0, 8, 1]) + np.array([60], ">i4").tobytes() + bytes(range(10)) * 6)
    unroll("train", "mnist", "--recipe", "tutorial", "--steps", "2", "--batch-size", "20",
           "--data-dir", tmp_path / "data", "--out", tmp_path / "run", *flags)

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.add_module(name, layer())
            self.fc = nn.Linear(ways * recurrent.hidden_size, 10)

    recurrent = layer()
    ways = 2 if recurrent.bidirectional else 1
    model = Model()
    model.load_state_dict(load_file(tmp_path / "run" / "model.safetensors"), strict=True)
    x = torch.randn(28, 2, 28)
    with torch.no_grad():
        state = getattr(model, name)(x)[1]
        h_n = state[0] if isinstance(state, tuple) else state
        expected = model.fc(torch.cat([*h_n[-ways:]], dim=-1)).numpy()
    np.save(tmp_path / "x.npy", x.transpose(0, 1).contiguous().numpy())
    unroll("predict", tmp_path / "run", tmp_path / "x.npy", "--out", tmp_path / "y.npy")
    assert np.abs(np.load(tmp_path / "y.npy") - expected).max() <= TOLERANCE


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("save, name", [(torch.save, "net.pt"), (save_file, "net.safetensors")])
def test_other_precisions(bring, dtype, save, name):
    """Weights of 16 or 64 bits are those numbers in f32; compared with the network in f32."""
    torch.manual_seed(4)
    net = Net("gru", dtype=dtype)
    state = net.state_dict()
    assert all(tensor.dtype == dtype for tensor in state.values())
    bring(net.float(), architecture("gru"), state=state, save=save, name=name)


@pytest.mark.parametrize("prefix", ["module.", "model.", "_orig_mod.", "model.module.", "net.core."])
def test_prefixes(bring, prefix):
    net = Net()
    state = {prefix + name: tensor for name, tensor in net.state_dict().items()}
    bring(net, architecture("lstm"), state=state)


@pytest.mark.parametrize("key", ["state_dict", "model", "model_state_dict"])
def test_checkpoints(bring, key):
    net = Net()
    optimizer = torch.optim.AdamW(net.parameters())
    net(torch.randn(1, 2, 5)).sum().backward()
    optimizer.step()
    bring(net, architecture("lstm"), state={"epoch": 7, "best": 0.91, key: net.state_dict(),
                                            "optimizer": optimizer.state_dict()})


def test_layers_that_share_and_views(bring):
    """Weights that are transposed, cut out of larger ones, and share one storage."""
    net = Net()
    flat = torch.cat([tensor.reshape(-1) for tensor in net.state_dict().values()])
    state, first = {}, 0
    for name, tensor in net.state_dict().items():
        state[name] = flat[first:first + tensor.numel()].view_as(tensor)
        first += tensor.numel()
    state["fc.weight"] = state["fc.weight"].t().contiguous().t()
    assert not state["fc.weight"].is_contiguous()
    bring(net, architecture("lstm"), state=state)


def test_a_bare_layer(bring):
    class Steps(nn.Module):
        def __init__(self):
            super().__init__()
            self.gru = nn.GRU(5, 6, num_layers=2, batch_first=True)

        def forward(self, x):
            return self.gru(x)[0]

    net = Steps()
    layers = {"layers": [{"type": "gru", "name": "encoder", "readout": "every_step"}]}
    bring(net, layers, state=net.gru.state_dict())


def test_a_cell(bring):
    class Loop(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell, self.out = nn.LSTMCell(5, 6), nn.Linear(6, 2)

        def forward(self, x):
            h = c = torch.zeros(x.shape[0], 6)
            for t in range(x.shape[1]):
                h, c = self.cell(x[:, t], (h, c))
            return self.out(h)

    bring(Loop(), {"layers": [{"type": "lstm", "name": "cell", "readout": "last"},
                              {"type": "linear", "name": "out"}]})


class Residual(nn.Module):
    """Scaled inputs, two recurrent blocks with x + f(x) around each, pooling, a residual of vectors."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.5, -1.0, 2.0, 0.0, 1.5]))
        self.register_buffer("std", torch.tensor([2.0, 0.5, 1.0, 3.0, 0.25]))
        self.embed = nn.Linear(5, 8)
        self.one = nn.LSTM(8, 8, batch_first=True)
        self.two = nn.GRU(8, 12, batch_first=True)
        self.back = nn.Linear(12, 8)
        self.head, self.out = nn.Linear(8, 8), nn.Linear(8, 2)

    def forward(self, x):
        x = torch.tanh(self.embed((x - self.mean) / self.std))
        x = x + self.one(x)[0]
        x = x + torch.relu(self.back(self.two(x)[0]))
        last = nn.functional.relu(x)
        return last

    LAYERS = [
        {"type": "scale", "mean": "mean", "std": "std"},
        {"type": "linear", "name": "embed"},
        {"type": "activation", "function": "tanh"},
        {"type": "lstm", "name": "one", "readout": "every_step"},
        {"type": "residual"},
        {"type": "gru", "name": "two", "readout": "every_step"},
        {"type": "linear", "name": "back"},
        {"type": "activation", "function": "relu"},
        {"type": "residual", "over": 3},
        {"type": "activation", "function": "relu"},
    ]


class ResidualVectors(Residual):
    def forward(self, x):
        x = super().forward(x)
        x = self.three(x)[0].mean(dim=1)
        x = x + torch.sigmoid(self.head(x))
        return self.out(x)

    def __init__(self):
        super().__init__()
        self.three = nn.RNN(8, 8, batch_first=True)


def test_residual_connections_of_steps(bring):
    net = Residual()
    state = {name: tensor for name, tensor in net.state_dict().items()
             if not name.startswith(("head.", "out."))}
    bring(net, {"layers": Residual.LAYERS}, state=state, x=torch.randn(3, 60, 5))


def test_residual_connections_of_vectors_too(bring, unroll, tmp_path):
    layers = [*Residual.LAYERS,
              {"type": "rnn", "name": "three", "nonlinearity": "tanh", "readout": "mean"},
              {"type": "linear", "name": "head"},
              {"type": "activation", "function": "sigmoid"},
              {"type": "residual", "over": 2},
              {"type": "linear", "name": "out"}]
    net = ResidualVectors()
    bring(net, {"layers": layers, "output": "values"}, x=torch.randn(3, 60, 5))
    assert "residual" in unroll("inspect", tmp_path / "model.safetensors")


@pytest.mark.parametrize("readout", ["mean", "max", "mean_last", "every_step"])
def test_readouts(bring, readout):
    class Read(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = nn.GRU(5, 7, batch_first=True)
            self.fc = nn.Linear(14 if readout == "mean_last" else 7, 3)

        def forward(self, x):
            h = self.rnn(x)[0]
            read = {"mean": h.mean(1), "max": h.max(1).values, "every_step": h,
                    "mean_last": torch.cat([h.mean(1), h[:, -1]], -1)}
            return self.fc(read[readout])

    bring(Read(), architecture("gru", readout=readout))


def test_a_series_in_time_order_and_as_onnx_with_the_same_numbers(unroll, tmp_path):
    import onnxruntime

    rnn, fc = nn.LSTM(5, 8), nn.Linear(8, 1)  # batch_first=False
    net = nn.ModuleDict({"rnn": rnn, "fc": fc})
    x = torch.randn(7, 4, 5)
    with torch.no_grad():
        y = fc(rnn(x)[0]).transpose(0, 1).numpy()
    torch.save(net.state_dict(), tmp_path / "net.pt")
    np.save(tmp_path / "in.npy", x.transpose(0, 1).numpy())
    np.save(tmp_path / "out.npy", y)  # (4, 7, 1), in Fortran order
    (tmp_path / "arch.json").write_text(json.dumps(architecture("lstm", readout="every_step")))
    model, onnx = tmp_path / "model.safetensors", tmp_path / "model.onnx"
    unroll("import", tmp_path / "net.pt", "--arch", tmp_path / "arch.json", "-o", model,
           "--check", tmp_path / "in.npy", tmp_path / "out.npy")
    unroll("export", model, "--format", "onnx", "-o", onnx)
    session = onnxruntime.InferenceSession(onnx)
    got, = session.run(["output"], {"input": x.transpose(0, 1).contiguous().numpy()})
    assert abs(got - y).max() < 1e-5


CONVOLUTIONS = {
    "plain": dict(),
    "padded": dict(padding=2),
    "strided": dict(stride=3, padding=1, bias=False),
    "dilated groups": dict(dilation=3, padding=6, groups=5),
}


class Front(nn.Module):
    """Convolutions over time in front of a recurrent layer."""

    def __init__(self, wrap=lambda layer: layer, **options):
        super().__init__()
        self.conv = wrap(nn.Conv1d(5, 10, 5, **options))
        self.wide = nn.Conv1d(10, 6, 2, dilation=4)
        self.rnn, self.fc = nn.GRU(6, 7, batch_first=True), nn.Linear(7, 3)

    def forward(self, x):
        x = torch.relu(self.conv(x.transpose(1, 2)))  # (N, C, T)
        x = self.wide(nn.functional.pad(x, (4, 0)))  # causal
        return self.fc(self.rnn(x.transpose(1, 2))[0][:, -1])

    @staticmethod
    def layers(**options):
        told = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}
        return {"layers": [
            {"type": "conv1d", "name": "conv", **{key: options.get(key, told[key]) for key in told}},
            {"type": "activation", "function": "relu"},
            {"type": "conv1d", "name": "wide", "stride": 1, "causal": True, "dilation": 4, "groups": 1},
            {"type": "gru", "name": "rnn", "readout": "last"},
            {"type": "linear", "name": "fc"},
        ]}


@pytest.mark.parametrize("kind", CONVOLUTIONS)
@pytest.mark.parametrize("save, name", [(torch.save, "net.pt"), (save_file, "net.safetensors")])
def test_convolutions_over_time(bring, tmp_path, kind, save, name):
    torch.manual_seed(6)
    options = CONVOLUTIONS[kind]
    net = Front(**options)
    bring(net, Front.layers(**options), x=torch.randn(4, 23, 5), save=save, name=name)
    other = Front(**options)
    other.load_state_dict(load_file(tmp_path / "model.safetensors"), strict=True)
    assert torch.equal(net.conv.weight, other.conv.weight)


@pytest.mark.parametrize("wrap", [nn.utils.weight_norm, nn.utils.parametrizations.weight_norm])
def test_a_convolution_over_time_under_weight_norm(bring, wrap):
    torch.manual_seed(7)
    bring(Front(wrap), Front.layers(), x=torch.randn(2, 23, 5))


def test_a_convolution(bring):
    class Images(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.fc = nn.Conv2d(1, 4, 3, padding=1), nn.Linear(4 * 4 * 4, 2)

        def forward(self, x):
            x = nn.functional.max_pool2d(torch.relu(self.conv(x)), 2)
            return self.fc(x.flatten(1))

    layers = [{"type": "conv2d", "name": "conv", "stride": [1, 1], "padding": [1, 1]},
              {"type": "activation", "function": "relu"},
              {"type": "max_pool2d", "kernel": [2, 2], "stride": [2, 2], "padding": [0, 0]},
              {"type": "flatten"}, {"type": "linear", "name": "fc"}]
    bring(Images(), {"input": {"height": 8, "width": 8}, "layers": layers},
          x=torch.randn(5, 1, 8, 8))


def test_a_wrong_architecture_is_found_out(bring, tmp_path):
    torch.manual_seed(5)
    text, *_ = bring(Net("rnn"), architecture("rnn", nonlinearity="relu"), code=1)
    assert "MORE THAN" in text and "was not written" in text
    assert not (tmp_path / "model.safetensors").exists()


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("zipped", [True, False])
def test_trial10_whole_modules_and_the_old_format(bring, protocol, zipped):
    net = Net(bidirectional=True)
    net.register_buffer("scratch", torch.zeros(3), persistent=False)

    def save(what):
        return lambda _, path: torch.save(what, path, pickle_protocol=protocol,
                                          _use_new_zipfile_serialization=zipped)

    for what in (net, net.state_dict(), {"epoch": 1, "model": net}):
        bring(net, architecture("lstm"), save=save(what))


@pytest.mark.parametrize("make", [torch.jit.script, lambda net: torch.jit.trace(net, torch.randn(4, 11, 5))])
def test_trial10_torchscript(bring, make):
    class Plain(nn.Module):  # that torch.jit.script understands
        def __init__(self):
            super().__init__()
            self.rnn = nn.LSTM(5, 9, batch_first=True)
            self.fc = nn.Linear(9, 3)

        def forward(self, x):
            return self.fc(self.rnn(x)[0][:, -1])

    net = Plain()
    bring(net, architecture("lstm"), save=lambda _, path: make(net).save(path))


def marked(tensor):
    tensor.mark = True
    return tensor


class Ordered(collections.OrderedDict):
    pass


class Mode(enum.Enum):
    A = "a"


OBJECTS = [
    9425633049019702871, -(2**80), 10**400, collections.Counter("aab"), Ordered(a=1),
    collections.OrderedDict(a=1), collections.defaultdict(list, {"a": [1.0]}),
    collections.deque([1], 2), torch.Size([2]), torch.device("cpu"), torch.float8_e4m3fn,
    torch.strided, {1}, frozenset({1}), b"\0a", bytearray(b"a"), 1j, np.float64(1.5), np.bool_(True),
    np.arange(4.0).reshape(2, 2), np.dtype("f4"), np.random.RandomState(0), Mode.A,
    argparse.Namespace(lr=0.1, mode=Mode.A), pathlib.PurePosixPath("a/b"),
    datetime.datetime(2026, 1, 2), decimal.Decimal("1.5"), range(3), nn.LSTM, torch.relu,
    marked(torch.ones(2)), marked(nn.Parameter(torch.ones(2))), torch.eye(2).to_sparse(),
    torch.ones(2, dtype=torch.complex64), torch.ones(2).to(torch.float8_e4m3fn),
    torch.ones(2, dtype=torch.uint16), torch.empty(2, device="meta"), torch.get_rng_state(),
    torch.ones(2).untyped_storage(), [float(i) for i in range(1_200_000)],
]


@pytest.mark.parametrize("index", range(len(OBJECTS)))
def test_trial09_what_stands_in_checkpoints(bring, index):
    net = Net(hidden=4)
    for protocol in (2, 4):
        bring(net, architecture("lstm"),
              state={"state_dict": net.state_dict(), "other": OBJECTS[index]},
              save=lambda state, path: torch.save(state, path, pickle_protocol=protocol))


def test_trial12_keys_and_surplus_tensors(bring):
    net, other = Net(), Net()
    state = {"run": {"net": net.state_dict(), "ema": other.state_dict()}, "all": [net.state_dict()]}
    text, *_ = bring(net, architecture("lstm"), state=state, code=1)
    assert '"run.net", "run.ema", "all.0"' in text
    for key in ("run.net", "all.0"):
        bring(net, architecture("lstm"), state=state, more=["--key", key])
    layers = {"rnn": net.rnn.state_dict(), "fc": net.fc.state_dict(), "epoch": 1}
    bring(net, architecture("lstm"), state=layers)
    surplus = {**net.state_dict(), "criterion.weight": torch.ones(3), "n": torch.tensor(1)}
    text, *_ = bring(net, architecture("lstm"), state=surplus, code=1)
    assert "--ignore NAME" in text
    text, *_ = bring(net, architecture("lstm"), state=surplus,
                     more=["--ignore", "criterion.*", "--ignore", "n"])
    assert "ignored 2 of the tensors: criterion.weight, n" in text


def test_a_file_that_runs_something_is_refused(unroll, tmp_path):
    class Attack:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path}/attacked",)

    torch.save({"state_dict": Net().state_dict(), "x": Attack()}, tmp_path / "attack.pt")
    text = unroll("import", tmp_path / "attack.pt", "-o", tmp_path / "x", code=1)
    assert '"posix.system"' in text and "nothing was executed" in text
    assert not (tmp_path / "attacked").exists()


def test_all_that_does_not_fit_is_listed(bring):
    net = Net()
    state = net.state_dict()
    state["extra"], state["fc.bias"] = torch.zeros(2), torch.zeros(4)
    del state["rnn.bias_hh_l0"]
    text, *_ = bring(net, architecture("lstm"), state=state, code=1)
    for part in ("rnn.bias_hh_l0 is missing", "fc.bias has shape [4], expected [3]",
                 "extra is not part of the model"):
        assert part in text
