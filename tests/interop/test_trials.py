"""Networks as other people have them, in PyTorch: imported and the same, or refused by name.

Each test is named after a row of trials; tests/unit has the same rows without PyTorch.
"""
import json
import warnings

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn.utils import parametrizations

TOLERANCE = 1e-5
CELLS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


class Net(nn.Module):
    """Layers by name, and how the network goes through them."""

    def __init__(self, forward, **layers):
        super().__init__()
        self._forward = forward
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, x):
        return self._forward(self, x)


def recurrent(name="rnn", cell="lstm", readout="last", **more):
    said = {"nonlinearity": "tanh"} if cell == "rnn" else {}
    return {"type": cell, "name": name, "readout": readout, **said, **more}


def linear(name="fc", **more):
    return {"type": "linear", "name": name, **more}


def function(name):
    return {"type": "activation", "function": name}


@pytest.fixture
def bring(unroll, tmp_path):
    """Imports a network with, or without, an architecture and compares with its outputs."""

    def run(net, layers, x, state=None, code=0, name="net.pt"):
        net.eval()
        with torch.no_grad():
            y = net(x)
        np.save(tmp_path / "in.npy", x.float().numpy())
        np.save(tmp_path / "out.npy", y.numpy())
        state = net.state_dict() if state is None else state
        (save_file if name.endswith("safetensors") else torch.save)(state, tmp_path / name)
        command = ["import", tmp_path / name, "-o", tmp_path / "model.safetensors"]
        if layers is not None:
            (tmp_path / "arch.json").write_text(json.dumps({"layers": layers}))
            command += ["--arch", tmp_path / "arch.json", "--check", tmp_path / "in.npy",
                        tmp_path / "out.npy"]
        text = unroll(*command, code=code)
        assert (tmp_path / "model.safetensors").exists() == (code == 0)
        return text

    return run


def series(*shape):
    return torch.randn(*(shape or (4, 7, 5)))


# ---- 2: what a bare state_dict reads ------------------------------------------------------------


@pytest.mark.parametrize("cell", CELLS)
def test_trial02_every_way_out_of_a_bare_state_dict_reads_numbers_as_they_are(unroll, tmp_path, cell):
    torch.manual_seed(1)
    net = Net(lambda s, x: s.fc(s.rnn(x)[0][:, -1]), rnn=CELLS[cell](5, 6, batch_first=True),
              fc=nn.Linear(6, 3))
    x = 100 * series()  # pixels would be divided by 255
    with torch.no_grad():
        expected = net(x).numpy()
    bare, said = tmp_path / "bare.safetensors", ["--activation", "tanh"] if cell == "rnn" else []
    save_file(net.state_dict(), bare)
    np.save(tmp_path / "x.npy", x.numpy())
    unroll("predict", bare, tmp_path / "x.npy", "--out", tmp_path / "y.npy", *said)
    assert np.abs(np.load(tmp_path / "y.npy") - expected).max() <= TOLERANCE
    text = unroll("export", bare, "--format", "onnx", "-o", tmp_path / "bare.onnx", *said)
    assert "numbers as they are" in text
    session = onnxruntime.InferenceSession(tmp_path / "bare.onnx")
    got, = session.run(["output"], {"input": x.numpy()})
    assert np.abs(got - expected).max() <= TOLERANCE
    unroll("export", bare, "--format", "npz", "-o", tmp_path / "bare.npz", *said)
    description = json.loads(np.load(tmp_path / "bare.npz")["description.json"])
    assert description["input"]["pixels"] is False
    unroll("export", bare, "--format", "cpp", "-o", tmp_path / "bare.h", *said)
    assert "pixel" not in (tmp_path / "bare.h").read_text()
    # Where the scaling of pixels is said, it is part of the graph.
    unroll("export", bare, "--format", "onnx", "-o", tmp_path / "bare.onnx", *said, "--normalize",
           "0.5,2")
    got, = onnxruntime.InferenceSession(tmp_path / "bare.onnx").run(
        ["output"], {"input": (255 * (2 * x + 0.5)).numpy()})
    assert np.abs(got - expected).max() <= 10 * TOLERANCE


# ---- 3: silently another network ----------------------------------------------------------------


@pytest.mark.parametrize("words, features", [(8, 8), (20, 8)])
@pytest.mark.parametrize("name", ["embedding", "emb", "word_embeddings", "encoder"])
@pytest.mark.parametrize("cell", CELLS)
def test_trial03_an_embedding_is_not_imported_as_a_linear_layer(bring, cell, name, words, features):
    net = Net(lambda s, x: s.fc(s.rnn(getattr(s, name)(x))[0][:, -1]),
              **{name: nn.Embedding(words, features)}, rnn=CELLS[cell](features, 8, batch_first=True),
              fc=nn.Linear(8, 3))
    asked = name == "encoder" and words == features
    for layers in (None, [linear(name), recurrent(cell=cell), linear()]):
        text = bring(net, layers, torch.randint(0, words, (4, 7)), code=2 if asked else 1)
        assert "mbedding" in text and "can't be imported" in text


@pytest.mark.parametrize("name", ["encoder", "embedding"])
def test_trial03_a_linear_layer_without_a_bias_is_taken_where_it_is_said(bring, name):
    net = Net(lambda s, x: s.fc(s.rnn(getattr(s, name)(x))[0][:, -1]),
              **{name: nn.Linear(5, 5, bias=False)}, rnn=nn.GRU(5, 8, batch_first=True),
              fc=nn.Linear(8, 3))
    bring(net, [linear(name, bias=False), recurrent(cell="gru"), linear()], series())


@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("cell", CELLS)
def test_trial03_the_last_output_of_two_directions_is_named(bring, cell, depth):
    torch.manual_seed(2)
    rnn = CELLS[cell](5, 6, depth, batch_first=True, bidirectional=True)
    net = Net(lambda s, x: s.out(torch.relu(s.fc(s.rnn(x)[0][:, -1]))), rnn=rnn,
              fc=nn.Linear(12, 8), out=nn.Linear(8, 3))
    layers = [recurrent(cell=cell), linear(), function("relu"), linear("out")]
    text = bring(net, layers, series(), code=1)
    assert "agree with output[:, -1] of rnn" in text and "can't be imported" in text
    assert "output[:, -1]" in bring(net, None, series(), code=2)
    net._forward = lambda s, x: s.out(torch.relu(s.fc(s.rnn(x)[0][:, 0])))
    assert "agree with output[:, 0] of rnn" in bring(net, layers, series(), code=1)
    net._forward = lambda s, x: s.out(torch.relu(s.fc(s.rnn(x)[0].mean(1))))
    assert 'agree with "readout": "mean" of rnn' in bring(net, layers, series(), code=1)
    net._forward = lambda s, x: s.out(torch.tanh(s.fc(torch.cat(
        [*(s.rnn(x)[1][0] if cell == "lstm" else s.rnn(x)[1])[-2:]], -1))))
    assert 'agree with "function": "tanh" of layer 3' in bring(net, layers, series(), code=1)


# ---- 4: prefixes --------------------------------------------------------------------------------


def wrapped(how, net):
    return {"as it is": lambda n: n, "DataParallel": nn.DataParallel, "compile": torch.compile,
            "both": lambda n: torch.compile(nn.DataParallel(n)),
            "the other way": lambda n: nn.DataParallel(torch.compile(n)),
            "Lightning": lambda n: nn.ModuleDict({"model": n})}[how](net)


WRAPPERS = ["as it is", "DataParallel", "compile", "both", "the other way", "Lightning"]


@pytest.mark.parametrize("inner", ["as it is", "DataParallel", "compile"])
@pytest.mark.parametrize("outer", WRAPPERS)
@pytest.mark.parametrize("name", ["model", "module", "rnn"])
def test_trial04_a_layers_own_name_is_no_prefix(bring, name, outer, inner):
    net = Net(lambda s, x: s.fc(getattr(s, name)(x)[0][:, -1]), fc=nn.Linear(6, 3),
              **{name: nn.LSTM(5, 6, 2, batch_first=True)})
    holder = Net(None, fc=net.fc, **{name: wrapped(inner, getattr(net, name))})
    bring(net, [recurrent(name), linear()], series(), state=wrapped(outer, holder).state_dict(),
          name="net.safetensors" if inner == "compile" else "net.pt")


@pytest.mark.parametrize("outer", WRAPPERS)
@pytest.mark.parametrize("cell", CELLS)
def test_trial04_a_bare_layer_is_found_by_any_name(bring, cell, outer):
    net = Net(lambda s, x: s.layer(x)[0], layer=CELLS[cell](5, 6, batch_first=True))
    bring(net, [recurrent("any", cell, "every_step")], series(),
          state=wrapped(outer, net.layer).state_dict())


@pytest.mark.parametrize("start", ["", "model.", "module."])
def test_trial04_both_names_of_a_buffer_work(bring, start):
    net = Net(lambda s, x: s.fc(s.rnn((x - s.mu) / s.sd)[0][:, -1]), rnn=nn.GRU(5, 6, batch_first=True),
              fc=nn.Linear(6, 3))
    net.register_buffer("mu", torch.randn(5))
    net.register_buffer("sd", torch.rand(5) + 1)
    bring(net, [{"type": "scale", "mean": start + "mu", "std": start + "sd"},
                recurrent(start + "rnn", "gru"), linear(start + "fc")], series(),
          state=wrapped("Lightning", net).state_dict())


# ---- 5: tolerances ------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1e4, 1e6])
def test_trial05_large_outputs_are_right_within_a_relative_tolerance(bring, unroll, tmp_path, scale):
    torch.manual_seed(3)
    net = Net(lambda s, x: s.fc(s.rnn(x)[0][:, -1]), rnn=nn.GRU(5, 8, batch_first=True),
              fc=nn.Linear(8, 2))
    with torch.no_grad():
        net.fc.weight.mul_(scale)
        net.fc.bias.add_(2 * scale)  # no output near 0, where the rounding of large terms is large
    assert "1e-05 * |expected|" in bring(net, [recurrent(cell="gru"), linear()], series(32, 20, 5))


# ---- 11: what has no layer here, and what is cheap ----------------------------------------------

BESIDE = {
    "attention": lambda: nn.MultiheadAttention(6, 2, batch_first=True),
    "attention and": lambda: nn.MultiheadAttention(6, 2, kdim=5, vdim=4),
    "layer normalisation": lambda: nn.LayerNorm(6),
    "layer normalisation or the like": lambda: nn.GroupNorm(2, 6),
    "normalisation, PReLU": lambda: nn.PReLU(),
    "batch normalisation": lambda: nn.BatchNorm1d(6),
    "batch normalisation, which": lambda: nn.BatchNorm1d(6, affine=False),
    "a convolution of volumes": lambda: nn.Conv3d(1, 2, 3),
    "a convolution of images": lambda: nn.Conv2d(1, 2, 3),
    "an embedding": lambda: nn.ModuleDict({"tokens": nn.Embedding(7, 6)}),
    "a weight in parts": lambda: parametrizations.spectral_norm(nn.Linear(6, 6)),
    "is not part": lambda: nn.ParameterList([torch.zeros(6, 5), torch.zeros(2, 5)]),
}


@pytest.mark.parametrize("save", ["net.pt", "net.safetensors"])
@pytest.mark.parametrize("kind", BESIDE)
def test_trial11_the_first_answer_lists_every_tensor_without_a_layer(bring, kind, save):
    net = Net(lambda s, x: s.fc(s.rnn(x)[0][:, -1]), rnn=nn.LSTM(5, 6, batch_first=True),
              beside=BESIDE[kind](), fc=nn.Linear(6, 3))
    for layers in (None, [recurrent(), linear()]):
        text = bring(net, layers, series(), code=1, name=save)
        assert kind.removesuffix(" and") in text
        for name in net.beside.state_dict():
            assert f"beside.{name}" in text
        assert '"layers"' not in text  # nothing is proposed


SIDE_BY_SIDE = {
    "heads": dict(rnn=nn.LSTM(5, 6), a=nn.Linear(6, 3), b=nn.Linear(6, 1)),
    "attention": dict(rnn=nn.GRU(5, 6), score=nn.Linear(6, 1), fc=nn.Linear(6, 3)),
    "cell": dict(i2h=nn.Linear(11, 6), i2o=nn.Linear(11, 3)),
    "seq2seq": dict(encoder=nn.LSTM(5, 6), decoder=nn.LSTM(5, 6), fc=nn.Linear(6, 5)),
    "skip": dict(a=nn.GRU(5, 6), b=nn.GRU(11, 6), fc=nn.Linear(6, 3)),
}


@pytest.mark.parametrize("save", ["net.pt", "net.safetensors"])
@pytest.mark.parametrize("kind", SIDE_BY_SIDE)
def test_trial11_layers_side_by_side_are_not_proposed_one_after_the_other(bring, kind, save):
    net = Net(lambda s, x: x, **SIDE_BY_SIDE[kind])
    text = bring(net, None, series(), code=1, name=save)
    assert "do not fit one after the other" in text and '"layers"' not in text


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_trial11_half_of_two_directions_is_refused(bring, cell):
    rnn = CELLS[cell](5, 6, batch_first=True, bidirectional=True)
    net = Net(lambda s, x: s.fc(s.rnn(x)[0].unflatten(-1, (2, 6)).sum(-2)[:, -1]), rnn=rnn,
              fc=nn.Linear(6, 3))
    for layers in (None, [recurrent(cell=cell), linear()]):
        assert "half of the 12" in bring(net, layers, series(), code=1)


@pytest.mark.parametrize("dim", [0, 1, None])
def test_trial11_weight_norm(bring, dim):
    torch.manual_seed(4)
    net = Net(lambda s, x: s.fc(s.rnn(x)[0][:, -1]), rnn=nn.LSTM(5, 6, batch_first=True),
              fc=parametrizations.weight_norm(nn.Linear(6, 3), dim=dim))
    bring(net, [recurrent(), linear()], series())


def test_trial11_weight_norm_of_recurrent_layers_and_before_pytorch_2(bring):
    torch.manual_seed(5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fc = torch.nn.utils.weight_norm(nn.Linear(6, 3))
    rnn = parametrizations.weight_norm(nn.GRU(5, 6, batch_first=True), "weight_hh_l0")
    net = Net(lambda s, x: s.fc(s.rnn(x)[0][:, -1]), rnn=rnn, fc=fc)
    bring(net, [recurrent(cell="gru"), linear()], series())


@pytest.mark.parametrize("shape", [(2, 1, 6), (2, 6)])
@pytest.mark.parametrize("cell", CELLS)
def test_trial11_learnt_states_under_their_own_names(bring, cell, shape):
    torch.manual_seed(6)

    def forward(s, x):
        h, c = (v.reshape(2, 1, 6).expand(-1, x.shape[0], -1).contiguous() for v in (s.h0, s.c0))
        return s.fc(s.rnn(x, (h, c) if cell == "lstm" else h)[0].mean(1))

    net = Net(forward, rnn=CELLS[cell](5, 6, 2, batch_first=True), fc=nn.Linear(6, 3))
    net.h0, net.c0 = (nn.Parameter(torch.randn(shape)) for _ in range(2))
    state = net.state_dict()
    names = {"h_0": "h0", "c_0": "c0"}
    if cell != "lstm":
        del state["c0"], names["c_0"]
    for layers in (None, [recurrent(cell=cell, readout="mean"), linear()]):
        assert '"h_0": "h0"' in bring(net, layers, series(), state=state, code=2)
    bring(net, [recurrent(cell=cell, readout="mean", **names), linear()], series(), state=state)


@pytest.mark.parametrize("readout", ["last", "every_step"])
@pytest.mark.parametrize("ending", ["softmax", "log_softmax"])
def test_trial11_a_softmax_at_the_end(bring, unroll, tmp_path, ending, readout):
    torch.manual_seed(7)

    def logits(s, x):
        output = s.rnn(x)[0]
        return s.fc(output if readout == "every_step" else output[:, -1])

    net = Net(lambda s, x: getattr(torch, ending)(logits(s, x), -1), fc=nn.Linear(6, 3),
              rnn=nn.LSTM(5, 6, batch_first=True))
    layers = [recurrent(readout=readout), linear()]
    assert f"ends in {ending}" in bring(net, layers, x := series(), code=1)
    text = bring(net, [*layers, function(ending)], x)
    assert f"the {ending} at its end is left out" in text
    unroll("predict", tmp_path / "model.safetensors", tmp_path / "in.npy", "--out", tmp_path / "y.npy")
    with torch.no_grad():
        assert np.abs(np.load(tmp_path / "y.npy") - logits(net, x).numpy()).max() <= TOLERANCE


@pytest.mark.parametrize("cell", CELLS)
def test_trial11_series_without_a_dimension_of_one(bring, cell):
    net = Net(lambda s, x: s.fc(s.rnn(x[..., None])[0][:, -1]), fc=nn.Linear(6, 1),
              rnn=CELLS[cell](1, 6, batch_first=True))
    bring(net, [recurrent(cell=cell), linear()], series(3, 9))
