"""The keywords that regularise cells, against the equations step by step with the same masks."""

import copy
import pickle

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from torch.utils.checkpoint import checkpoint  # noqa: E402
from torch_pairs import flat  # noqa: E402

import unroll  # noqa: E402
import unroll.torch  # noqa: E402
from unroll.torch import _regularisers  # noqa: E402

F = torch.nn.functional
OPTIONS = {
    "zoneout": {"zoneout": 0.3},
    "zoneout h and c": {"zoneout": (0.2, 0.4)},
    "variational": {"variational_dropout": (0.3, 0.4)},
    "recurrent dropout": {"recurrent_dropout": 0.4},
    "weight drop": {"weight_drop": 0.5},
    "layer norm": {"layer_norm": True},
    "all": {
        "zoneout": 0.2,
        "variational_dropout": 0.2,
        "recurrent_dropout": 0.3,
        "weight_drop": 0.2,
        "layer_norm": True,
        "dropout": 0.3,
    },
}
CASES = [
    (kind, name)
    for kind in ("RNN", "LSTM", "GRU")
    for name in OPTIONS
    if not (kind == "RNN" and name in ("recurrent dropout", "all"))
    and not (kind != "LSTM" and name == "zoneout h and c")
]


def make(kind, name, **more):
    torch.manual_seed(1)
    layer = getattr(unroll.torch, kind)(5, 6, num_layers=2, dtype=torch.float64, **{**OPTIONS[name], **more})
    for p in layer.parameters():
        torch.nn.init.uniform_(p, -0.7, 0.7)
    return layer


def norm(layer, part, index, x):
    module = getattr(layer, f"layer_norm_{part}_l{index}", None)
    return x if module is None else module(x)


def by_equations(layer, x, factors, w_hh):
    """Outputs of a stack of one direction, with the factors of `_regularisers.draw`."""
    own, hidden = layer._regularisers, layer.hidden_size
    for index in range(layer.num_layers):
        first, state, candidate, zone_h, zone_c = factors[5 * index : 5 * index + 5] or [None] * 5
        w_ih = getattr(layer, f"weight_ih_l{index}")
        b_ih, b_hh = (getattr(layer, f"bias_{n}_l{index}") for n in ("ih", "hh"))
        h = c = x.new_zeros(x.shape[1], hidden)
        outputs = []
        for t in range(len(x)):
            inside = x[t] if first is None else x[t] * first[t]
            a = norm(layer, "ih", index, inside @ w_ih.T) + b_ih
            b = norm(layer, "hh", index, (h if state is None else h * state) @ w_hh[index].T) + b_hh
            keep = 1 if candidate is None else candidate[t]
            new_c = c
            if layer.mode == "LSTM":
                i, f, g, o = (a + b).chunk(4, 1)
                new_c = f.sigmoid() * c + i.sigmoid() * g.tanh() * keep
                new_h = o.sigmoid() * norm(layer, "c", index, new_c).tanh()
            elif layer.mode == "GRU":
                (ar, az, an), (br, bz, bn) = a.chunk(3, 1), b.chunk(3, 1)
                n = (an + (ar + br).sigmoid() * bn).tanh() * keep
                z = (az + bz).sigmoid()
                new_h = (1 - z) * n + z * h
            else:
                new_h = (a + b).tanh()
            z_h = zone_h[t] if zone_h is not None else own.zoneout_h
            z_c = zone_c[t] if zone_c is not None else own.zoneout_c
            h, c = z_h * h + (1 - z_h) * new_h, z_c * c + (1 - z_c) * new_c
            outputs.append(h)
        x = torch.stack(outputs)
    return x


@pytest.mark.parametrize("kind, name", CASES)
@pytest.mark.parametrize("training", [True, False])
def test_equations(kind, name, training, monkeypatch):
    layer = make(kind, name).train(training)
    drawn, dropped = [], []
    draw, dropout = _regularisers.draw, F.dropout
    monkeypatch.setattr(_regularisers, "draw", lambda *a: drawn.append(draw(*a)) or [*drawn[-1]])
    monkeypatch.setattr(F, "dropout", lambda *a: dropped.append(dropout(*a)) or dropped[-1])
    x = torch.randn(7, 4, 5, dtype=torch.float64, requires_grad=True)
    ours = layer(x)[0]
    w_hh = dropped or [layer.weight_hh_l0, layer.weight_hh_l1]
    theirs = by_equations(layer, x, drawn[0] if drawn else [], w_hh)
    assert (ours - theirs).abs().max() < 1e-12
    v = torch.randn_like(ours)
    leaves = [x, *layer.parameters()]
    grads = [torch.autograd.grad((o * v).sum(), leaves, retain_graph=True) for o in (ours, theirs)]
    assert all((p - q).abs().max() < 1e-12 for p, q in zip(*grads, strict=True))


@pytest.mark.parametrize("kind, name", CASES)
def test_masks_follow_the_seed(kind, name):
    layer = make(kind, name)
    x = torch.randn(7, 4, 5, dtype=torch.float64, requires_grad=True)
    runs = []
    for reentrant in (None, None, False, True):
        torch.manual_seed(8)
        y = (
            layer(x)[0]
            if reentrant is None
            else checkpoint(lambda t: layer(t)[0], x, use_reentrant=reentrant)
        )
        runs.append([y.detach(), *torch.autograd.grad(y.sum(), x)] if not reentrant else [y.detach()])
    for other in runs[1:]:
        assert all(torch.equal(p, q) for p, q in zip(runs[0], other, strict=False))
    if name != "layer norm":
        assert not torch.equal(layer(x)[0], runs[0][0])


@pytest.mark.parametrize("kind, name", CASES)
def test_packed_and_both_directions(kind, name):
    layer = make(kind, name, bidirectional=True)
    x = torch.randn(6, 3, 5, dtype=torch.float64)
    packed = torch.nn.utils.rnn.pack_padded_sequence(x, torch.tensor([6, 6, 6]))
    results = []
    for given in (x, packed):
        torch.manual_seed(2)
        layer.zero_grad()
        out = flat(layer(given))[0].reshape(18, 12)
        out.square().sum().backward()
        results.append([out.detach(), *(p.grad for p in layer.parameters())])
    assert all((p - q).abs().max() < 1e-12 for p, q in zip(*results, strict=True))


def test_evaluation_copies_and_steps():
    layer = make("LSTM", "all").eval()
    x = torch.randn(7, 4, 5, dtype=torch.float64)
    expected = layer(x)[0]
    for clone in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(clone(x)[0], expected)
    step = unroll.torch.Stepper(layer, batch=4)
    with torch.no_grad():
        assert all((step(row) - out).abs().max() < 1e-12 for row, out in zip(x, expected, strict=True))
        out, _ = unroll.torch.sequences(layer, x, None, torch.zeros(7, 4))
        assert torch.equal(out, expected)
    assert "layer_norm_ih_l0.weight" in layer.state_dict()
    assert type(unroll.torch.decelerate(layer)) is unroll.torch.LSTM


def test_refusals():
    with pytest.raises(unroll.ArgumentError, match=r"zoneout_h is 1\.5, expected 0 to 1"):
        unroll.torch.GRU(3, 4, zoneout=1.5)
    with pytest.raises(unroll.ArgumentError, match="only an LSTM has a c"):
        unroll.torch.GRU(3, 4, zoneout=(0.1, 0.1))
    with pytest.raises(unroll.ArgumentError, match="no candidate"):
        unroll.torch.RNN(3, 4, recurrent_dropout=0.1)
    layer = make("GRU", "zoneout")
    x = torch.randn(5, 2, 5, dtype=torch.float64, requires_grad=True)
    with pytest.raises(RuntimeError, match="zoneout_h has no derivatives of higher order"):
        torch.autograd.grad(layer(x)[0].sum(), x, create_graph=True)
    with pytest.raises(unroll.ArgumentError, match="bfloat16; PyTorch has no layer with zoneout_h"):
        layer.bfloat16()(x.bfloat16())
    with pytest.raises(unroll.ArgumentError, match="whole sequences"):
        unroll.torch.sequences(make("GRU", "zoneout"), x, None, torch.zeros(5, 2))


@pytest.mark.parametrize("kind, name", CASES)
def test_unequal_lengths(kind, name, monkeypatch):
    layer = make(kind, name)
    drawn, dropped = [], []
    draw, dropout = _regularisers.draw, F.dropout
    monkeypatch.setattr(_regularisers, "draw", lambda *a: drawn.append(draw(*a)) or [*drawn[-1]])
    monkeypatch.setattr(F, "dropout", lambda *a: dropped.append(dropout(*a)) or dropped[-1])
    lengths = torch.tensor([7, 4, 1])
    x = torch.randn(7, 3, 5, dtype=torch.float64, requires_grad=True)
    packed = torch.nn.utils.rnn.pack_padded_sequence(x, lengths)
    ours = layer(packed)[0]

    def padded(factors, each_step):
        if factors is None or not each_step:
            return factors
        of_steps = torch.nn.utils.rnn.PackedSequence(factors, packed.batch_sizes)
        return torch.nn.utils.rnn.pad_packed_sequence(of_steps)[0]

    factors = [padded(f, i % 5 != 1) for i, f in enumerate(drawn[0])]  # 1: the state's, of all steps
    w_hh = dropped or [layer.weight_hh_l0, layer.weight_hh_l1]
    theirs = torch.nn.utils.rnn.pack_padded_sequence(by_equations(layer, x, factors, w_hh), lengths)
    assert (ours.data - theirs.data).abs().max() < 1e-12
    v = torch.randn_like(ours.data)
    leaves = [x, *layer.parameters()]
    grads = [torch.autograd.grad((o.data * v).sum(), leaves, retain_graph=True) for o in (ours, theirs)]
    assert all((p - q).abs().max() < 1e-12 for p, q in zip(*grads, strict=True))
