"""unroll.torch against torch.nn: outputs and all gradients, for every option."""

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from torch_pairs import PAIRS, expect_equal, flat, pair, run, state_of  # noqa: E402

import unroll.torch  # noqa: E402

OPTIONS = [  # layers, both ways, batch_first, bias
    (1, False, False, True),
    (1, True, True, False),
    (2, False, True, True),
    (3, True, False, True),
    (2, True, True, False),
]


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("layers, both, batch_first, bias", OPTIONS)
@pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-5), (torch.float64, 1e-12)])
@pytest.mark.parametrize("kind", ["batch", "batch_hx", "single", "single_hx", "packed", "packed_hx"])
def test_every_option(name, layers, both, batch_first, bias, dtype, tolerance, kind):
    torch.manual_seed(0)
    a, b = pair(name, num_layers=layers, bidirectional=both, batch_first=batch_first, bias=bias, dtype=dtype)
    steps, batch = 9, 11
    hx = state_of(name, dtype, layers, 2 if both else 1, None if "single" in kind else batch)
    if "batch" in kind:
        x = torch.randn(*((batch, steps) if batch_first else (steps, batch)), 7, dtype=dtype)
    elif "single" in kind:
        x = torch.randn(steps, 7, dtype=dtype)
    else:
        x = [torch.randn(1 + 5 * n % steps, 7, dtype=dtype) for n in range(batch)]
    assert unroll.torch.why_not(b, x[0] if isinstance(x, list) else x) is None
    expect_equal(a, b, x, hx if "hx" in kind else None, tolerance)


@pytest.mark.parametrize("name", ["lstm", "gru", "rnn_tanh"])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("dropout", [0.4, 1.0])
def test_dropout_has_pytorchs_masks(name, packed, dropout):
    a, b = pair(name, num_layers=3, dropout=dropout, bidirectional=True)
    x = [torch.randn(9 - k, 7) for k in range(5)] if packed else torch.randn(9, 5, 7)
    expect_equal(a, b, x, None, 1e-5)


@pytest.mark.parametrize("hidden", [1, 2, 15, 16, 17, 64, 100, 128, 200, 256])
@pytest.mark.parametrize("name", ["rnn_relu", "lstm", "gru"])
def test_sizes(hidden, name):
    torch.manual_seed(0)
    a, b = pair(name, inputs=3 if hidden % 2 else 130, hidden=hidden)
    expect_equal(a, b, torch.randn(20, 33, a.input_size), None, 2e-5)


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("batch_first", [False, True])
def test_steps_with_weights_that_change_unseen(name, layers, batch_first):
    torch.manual_seed(0)
    a, b = pair(name, num_layers=layers, batch_first=batch_first)
    s = t = None
    with torch.no_grad():
        for k in range(12):
            x = torch.randn(*((3, 1) if batch_first else (1, 3)), 7)
            if k == 6:  # counts in no version
                for p in (*a.parameters(), *b.parameters()):
                    p.data.mul_(0.9)
            y, s = a(x, s)
            z, t = b(x, t)
            for theirs, ours in zip(flat((y, s)), flat((z, t)), strict=True):
                assert ours.shape == theirs.shape
                assert (ours - theirs).abs().max() < 1e-5


@pytest.mark.parametrize("name", PAIRS)
def test_steps_have_the_bits_of_the_sequence(name):
    b = pair(name, num_layers=2)[1]
    x, state = torch.randn(12, 3, 7), None
    whole = b(x)[0].detach()
    with torch.no_grad():
        assert torch.equal(b(x)[0], whole)
        for k in range(12):
            y, state = b(x[k : k + 1], state)
            assert torch.equal(y[0], whole[k])


@pytest.mark.parametrize("name", PAIRS)
def test_rows_do_not_depend_on_the_batch(name):  # pytorch#32023
    b = pair(name, inputs=22, hidden=64, num_layers=2)[1]
    x = torch.randn(30, 50, 22)
    whole = b(x)[0]
    assert (torch.cat([b(x[:, :17])[0], b(x[:, 17:])[0]], 1) - whole).abs().max() == 0
    assert all((b(x[:, n : n + 1])[0][:, 0] - whole[:, n]).abs().max() == 0 for n in range(0, 50, 7))


@pytest.mark.parametrize("name", ["rnn_tanh", "lstm", "gru"])
def test_the_number_of_threads_changes_no_bit(name):
    b = pair(name, inputs=16, hidden=64)[1]
    x = torch.randn(30, 40, 16)
    outputs, grads = run(b, x, None)
    torch.set_num_threads(2)
    try:
        assert unroll.num_threads() == 2
        again, more = run(b, x, None)
    finally:
        torch.set_num_threads(1)
    assert all(torch.equal(p, q) for p, q in zip(outputs + grads, again + more, strict=True))


def test_views_as_input():
    a, b = pair("gru", num_layers=2)
    big = torch.randn(9, 7, 20)
    views = [
        big[..., 3:10],
        big.transpose(0, 1)[..., :7],
        big[..., ::2][..., :7],
        big[::2, :, 5:12],
        big[:1, :, :7].expand(9, 7, 7),
        big.permute(2, 0, 1)[:9],
    ]
    for x in views:
        expect_equal(a, b, x, None, 1e-5)
        state = torch.randn(2, x.shape[1], 20)[..., 1:13]
        theirs, ours = (layer(x, state) for layer in (a, b))
        assert all((p - q).abs().max() < 1e-5 for p, q in zip(flat(theirs), flat(ours), strict=True))


def test_ones_in_every_place():
    for inputs, steps, batch in ((1, 1, 1), (1, 5, 1), (1, 1, 5), (4, 1, 1)):
        a, b = pair("lstm", inputs=inputs, hidden=1)
        expect_equal(a, b, torch.randn(steps, batch, inputs), None, 1e-5)
