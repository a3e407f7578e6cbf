"""Episodes that end inside of sequences, against the loop that PyTorch's programs have; and steps."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from torch_pairs import PAIRS, flat, pair, state_of  # noqa: E402

import unroll  # noqa: E402
import unroll.torch  # noqa: E402


def loop(layer, x, hx, resets):
    """As CleanRL's ppo_atari_lstm: the state times 1 - done, step by step."""
    outputs = []
    for step, done in zip(x, resets, strict=True):
        keep = (1 - done.to(x.dtype)).view(1, -1, 1)
        hx = tuple(keep * s for s in hx) if isinstance(hx, tuple) else keep * hx
        out, hx = layer(step.unsqueeze(0), hx)
        outputs.append(out)
    return torch.cat(outputs), hx


def results(function, layer, x, hx, resets):
    leaves = [t.clone().requires_grad_() for t in (x, *flat(hx))]
    state = tuple(leaves[1:]) if isinstance(hx, tuple) else leaves[1]
    outputs = flat(function(layer, leaves[0], state, resets))
    torch.manual_seed(5)
    sum((t * torch.randn_like(t)).sum() for t in outputs).backward()
    grads = [*(t.grad for t in leaves), *(p.grad for p in layer.parameters())]
    layer.zero_grad()
    return outputs + grads


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.6, 1.0])
def test_sequences_equal_the_loop(name, layers, share):
    torch.manual_seed(int(10 * share))
    a, b = pair(name, num_layers=layers)
    x, hx = torch.randn(17, 5, 7), state_of(name, torch.float32, layers, 1, 5)
    resets = torch.rand(17, 5) < share
    expected = results(loop, a, x, hx, resets)
    for given in (resets, resets.float(), resets.to(torch.uint8), resets.numpy()):
        got = results(unroll.torch.sequences, b, x, hx, given)
        for p, q in zip(expected, got, strict=True):
            assert (p - q).abs().max() <= 1e-6 * max(1, p.abs().max())


@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_batch_first_and_no_state(name):
    b = pair(name, batch_first=True)[1]
    x, resets = torch.randn(5, 17, 7), torch.rand(5, 17) < 0.2
    ours = unroll.torch.sequences(b, x, None, resets)
    b.batch_first = False
    zeros = torch.zeros(1, 5, 12)
    theirs = loop(b, x.transpose(0, 1), (zeros, zeros) if name == "lstm" else zeros, resets.t())
    assert (ours[0].transpose(0, 1) - theirs[0]).abs().max() <= 1e-6
    assert all((p - q).abs().max() <= 1e-6 for p, q in zip(flat(ours[1]), flat(theirs[1]), strict=True))


@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_second_derivatives(name):
    a, b = pair(name, inputs=3, hidden=4, dtype=torch.float64)
    x = torch.randn(5, 2, 3, dtype=torch.float64, requires_grad=True)
    resets = torch.tensor([[0, 1], [0, 0], [1, 0], [0, 0], [0, 1]])
    hx = state_of(name, torch.float64, 1, 1, 2, hidden=4)
    grads = []
    for function, layer in ((loop, a), (unroll.torch.sequences, b)):
        out = function(layer, x, hx, resets)[0]
        (g,) = torch.autograd.grad(out.square().sum(), x, create_graph=True)
        grads.append(torch.autograd.grad(g.square().sum(), [x, *layer.parameters()]))
    assert all((p - q).abs().max() < 1e-12 for p, q in zip(*grads, strict=True))


def test_what_unroll_does_not_compute_is_a_loop():
    layer = torch.nn.GRU(7, 12, dtype=torch.bfloat16)
    x, resets = torch.randn(9, 3, 7, dtype=torch.bfloat16), torch.rand(9, 3) < 0.3
    with pytest.warns(UserWarning, match="bfloat16"):
        unroll.torch._reasons._warned.clear()
        out, h = unroll.torch.sequences(layer, x, None, resets)
    theirs, last = loop(layer, x, torch.zeros(1, 3, 12, dtype=torch.bfloat16), resets)
    assert torch.equal(out, theirs) and torch.equal(h, last)


def test_sequences_refuse():
    b = pair("gru")[1]
    with pytest.raises(unroll.ShapeError, match=r"resets have shape \(5, 9\), expected \(9, 5\)"):
        unroll.torch.sequences(b, torch.zeros(9, 5, 7), None, torch.zeros(5, 9))
    both = pair("gru", bidirectional=True)[1]
    with pytest.raises(unroll.ArgumentError, match="bidirectional"):
        unroll.torch.sequences(both, torch.zeros(9, 5, 7), None, torch.zeros(9, 5))


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("batch", [3, 40])
def test_stepper(name, layers, batch):
    a, b = pair(name, num_layers=layers)
    step = unroll.torch.Stepper(b, batch=batch)
    hx = tuple(torch.zeros_like(s) for s in flat(state_of(name, torch.float32, layers, 1, batch)))
    hx = hx if "lstm" in name else hx[0]
    for t in range(8):
        x, done = torch.randn(batch, 7), torch.rand(batch) < 0.3
        if t == 4:
            for p in (*a.parameters(), *b.parameters()):
                p.data.mul_(0.9)
        step.reset(done)
        with torch.no_grad():
            out, hx = loop(a, x[None], hx, done[None])
        assert (step(x) - out[0]).abs().max() < 1e-6
        assert all((p - q).abs().max() < 1e-6 for p, q in zip(flat(step.state), flat(hx), strict=True))
    other = step.copy()
    x = torch.randn(batch, 7)
    first = other(x)
    assert torch.equal(step(x), first)
    step.state = other.state
    assert torch.equal(step(x), other(x))
    step.reset()
    assert all(not s.any() for s in flat(step.state))


def test_stepper_gives_tensors_that_stay():
    step = unroll.torch.Stepper(pair("gru")[1], batch=2)
    outputs = [step(torch.randn(2, 7)) for _ in range(4)]
    copies = [o.clone() for o in outputs]
    state = step.state
    step(torch.randn(2, 7))
    state.zero_()
    assert all(torch.equal(p, q) for p, q in zip(outputs, copies, strict=True))
    assert step.state.any()


def test_stepper_refuses():
    b = pair("lstm")[1]
    step = unroll.torch.Stepper(b, batch=2)
    with pytest.raises(unroll.ShapeError, match=r"the input is \(3, 7\)"):
        step(torch.zeros(3, 7))
    with pytest.raises(unroll.ShapeError, match=r"done has shape \(3,\), expected \(2,\)"):
        step.reset(np.zeros(3))
    with pytest.raises(unroll.ShapeError, match="expected"):
        step.state = torch.zeros(1, 2, 12)
    b.double()
    with pytest.raises(unroll.ArgumentError, match="make a new Stepper"):
        step(torch.zeros(2, 7))
    with pytest.raises(unroll.ArgumentError, match="bidirectional"):
        unroll.torch.Stepper(pair("gru", bidirectional=True)[1])


@pytest.mark.parametrize("operation", ["sequences", "stepper", "why_not"])
def test_a_model_is_no_layer(operation):
    net, x = torch.nn.Sequential(torch.nn.GRU(3, 4)), torch.zeros(5, 2, 3)
    calls = {
        "sequences": lambda: unroll.torch.sequences(net, x, resets=torch.zeros(5, 2)),
        "stepper": lambda: unroll.torch.Stepper(net),
        "why_not": lambda: unroll.torch.why_not(net, x),
    }
    text = rf"\[{operation}\] a Sequential is given, expected a torch.nn.RNN, LSTM or GRU"
    with pytest.raises(unroll.ArgumentError, match=text):
        calls[operation]()


def test_accelerate_takes_modules():
    with pytest.raises(
        unroll.ArgumentError, match=r"\[accelerate\] a str is given, expected a torch.nn.Module"
    ):
        unroll.torch.accelerate("model")


def test_flags_in_the_place_of_the_state_are_named():
    gru = unroll.torch.GRU(3, 4)
    with pytest.raises(unroll.ShapeError, match="flags of episodes are resets="):
        unroll.torch.sequences(gru, torch.zeros(5, 2, 3), torch.zeros(5, 2))


def test_no_resets_are_no_episodes():
    gru, x = unroll.torch.GRU(3, 4), torch.randn(5, 2, 3)
    assert torch.equal(unroll.torch.sequences(gru, x)[0], gru(x)[0])


def test_resets_that_are_not_in_memory_are_refused():
    gru, x = unroll.torch.GRU(3, 4), torch.randn(5, 2, 3)
    with pytest.raises(NotImplementedError):
        unroll.torch.sequences(gru, x, resets=torch.ones(5, 2, device="meta"))


def test_inputs_that_are_no_sequences_are_refused():
    gru = unroll.torch.GRU(3, 4)
    for x in (torch.zeros(5, 3), torch.zeros(0, 2, 3), np.zeros((5, 2, 3), "float32")):
        with pytest.raises(unroll.ShapeError, match=r"expected a Tensor \(T, N, I\)"):
            unroll.torch.sequences(gru, x)


@pytest.mark.parametrize("batch", [2, 32])
@pytest.mark.parametrize("name", ["gru", "lstm"])
def test_a_stepper_in_and_out_of_inference_mode(name, batch):
    layer, _ = pair(name)
    x = torch.randn(3, batch, 7)
    expected = layer(x)[0]
    with torch.inference_mode():
        step = unroll.torch.Stepper(layer, batch)
        step(x[0])
    assert (step(x[1]) - expected[1]).abs().max() < 1e-5
    step.reset(torch.ones(batch))
    assert (step(x[0]) - expected[0]).abs().max() < 1e-5
    step.state = list(step.state) if name == "lstm" else [step.state]
    with torch.inference_mode():
        assert (step(x[1]) - expected[1]).abs().max() < 1e-5
    with pytest.raises(unroll.ShapeError, match="the state has the shapes"):
        step.state = [1, 2, 3]
