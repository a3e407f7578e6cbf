"""Model.predict, beside the program and beside plain NumPy."""

import json
import pickle
import threading

import numpy as np
import pytest
from models import (
    classifier,
    conv1d,
    conv2d,
    embedding,
    images,
    linear,
    make,
    recurrent,
    series,
    tokens,
    vector,
)

import unroll

PLAIN = {
    "rnn": lambda: classifier("rnn", nonlinearity="relu"),
    "gru": lambda: classifier("gru", num_layers=2),
    "lstm": lambda: classifier("lstm", bidirectional=True),
    "f64": lambda: classifier("lstm", dtype="float64"),
    "mean_last": lambda: classifier("gru", readout="mean_last"),
    "every_step": lambda: classifier("gru", readout="every_step"),
    "conv1d": lambda: make(series(3), conv1d(3, 5), recurrent("gru", 5, 6), linear(6, 4)),
    "scaled": lambda: make(
        series(3, mean=[1.0, 2.0, 3.0], std=[2.0, 3.0, 4.0]), recurrent("gru", 3, 6), linear(6, 4)
    ),
}


def series_for(model, rng, batch=5, steps=9):
    return rng.normal(size=(batch, steps, model.inputs)).astype(model.dtype)


def program_answers(program, model, x, folder):
    model.save(folder / "model.safetensors")
    np.save(folder / "x.npy", x)
    program("predict", folder / "model.safetensors", folder / "x.npy", "--out", folder / "y.npy")
    return np.load(folder / "y.npy")


def assert_same_bytes(a, b):
    assert a.dtype == b.dtype
    assert a.shape == b.shape
    assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("kind", PLAIN)
def test_series_have_the_bits_of_the_program(program, rng, tmp_path, kind):
    model = PLAIN[kind]()
    x = series_for(model, rng)
    assert_same_bytes(model.predict(x), program_answers(program, model, x, tmp_path))


OTHERS = {
    "tokens": lambda: (
        make(tokens(7), embedding(7, 4), recurrent("gru", 4, 6), linear(6, 3)),
        np.arange(15).reshape(3, 5) % 7,
    ),
    "vectors": lambda: (
        make(vector(6), linear(6, 5, "a"), {"type": "activation", "function": "relu"}, linear(5, 2)),
        np.random.default_rng(1).normal(size=(4, 6)).astype("float32"),
    ),
    "flat images": lambda: (
        make(images("flat", 4, 5), linear(20, 3)),
        np.random.default_rng(1).normal(size=(4, 4, 5)).astype("float32"),
    ),
    "images": lambda: (
        make(images("image", 4, 5), conv2d(1, 2), {"type": "flatten"}, linear(40, 3)),
        np.random.default_rng(1).normal(size=(4, 1, 4, 5)).astype("float32"),
    ),
    "one number a step": lambda: (
        make(series(1), recurrent("gru", 1, 4), linear(4, 2)),
        np.random.default_rng(1).normal(size=(4, 9)).astype("float32"),
    ),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_other_inputs_have_the_bits_of_the_program(program, tmp_path, kind):
    model, x = OTHERS[kind]()
    saved = x.astype("float32")  # the program reads no integers
    assert_same_bytes(model.predict(x), program_answers(program, model, saved, tmp_path))
    np.testing.assert_array_equal(model.predict(np.squeeze(x[1])), model.predict(x)[1])


def test_pixels_are_scaled_and_ordered_as_by_the_program(program, rng, tmp_path):
    model = make(images("pixels", 5, 6, permutation=3), recurrent("gru", 1, 6), linear(6, 3))
    pixels = rng.integers(0, 256, (4, 5, 6), dtype=np.uint8)
    model.save(tmp_path / "model.safetensors")
    head = b"".join(n.to_bytes(4, "big") for n in (0x803, *pixels.shape))
    (tmp_path / "images-idx3-ubyte").write_bytes(head + pixels.tobytes())
    lines = program("predict", tmp_path / "model.safetensors", tmp_path / "images-idx3-ubyte", "--json")
    shown = [json.loads(line)["probabilities"] for line in lines.splitlines()]
    np.testing.assert_array_equal(model.predict_proba(pixels), shown)
    np.testing.assert_array_equal(model.predict_proba(pixels[2]), shown[2])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_a_gru_computes_what_its_equations_say(rng):
    # https://docs.pytorch.org/docs/stable/generated/torch.nn.GRU.html
    model = classifier("gru", dtype="float64")
    x = series_for(model, rng)
    w = model.weights
    h = np.zeros((len(x), 8))
    for t in range(x.shape[1]):
        i = x[:, t] @ w["gru.weight_ih_l0"].T + w["gru.bias_ih_l0"]
        g = h @ w["gru.weight_hh_l0"].T + w["gru.bias_hh_l0"]
        r, z = sigmoid(i[:, :8] + g[:, :8]), sigmoid(i[:, 8:16] + g[:, 8:16])
        n = np.tanh(i[:, 16:] + r * g[:, 16:])
        h = (1 - z) * n + z * h
    expected = h @ w["fc.weight"].T + w["fc.bias"]
    np.testing.assert_allclose(model.predict(x), expected, rtol=0, atol=1e-12)


def test_probabilities_are_the_softmax(rng):
    model = classifier()
    logits = model.predict(series_for(model, rng)).astype("float64")
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    found = model.predict_proba(series_for(model, np.random.default_rng(0)))
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, powers / powers.sum(axis=1, keepdims=True), atol=1e-7)


def test_only_logits_have_probabilities():
    model = make(series(2), recurrent("gru", 2, 3), linear(3, 1), output="values")
    with pytest.raises(unroll.ArgumentError, match="values, not logits"):
        model.predict_proba(np.zeros((1, 2, 2)))


@pytest.mark.parametrize("kind", PLAIN)
def test_a_list_has_sequences_of_any_lengths(rng, kind, monkeypatch):
    model = PLAIN[kind]()
    monkeypatch.setattr("unroll.inputs.NUMBERS_AT_ONCE", 50)  # several batches
    sequences = [series_for(model, rng, 1, steps)[0] for steps in (5, 12, 3, 12, 7)]
    alone = [model.predict(x) for x in sequences]
    together = model.predict(sequences)
    if model.every_step:
        assert isinstance(together, list)
    for mine, theirs in zip(alone, together, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_lists_of_numbers_are_arrays_or_sequences():
    model = make(tokens(7), embedding(7, 4), recurrent("gru", 4, 6), linear(6, 3))
    assert model.predict([1, 2, 3]).shape == (3,)
    assert model.predict([[1, 2, 3], [4, 5, 6]]).shape == (2, 3)
    ragged = model.predict([[1, 2, 3], [4]])
    np.testing.assert_array_equal(ragged[0], model.predict([1, 2, 3]))
    np.testing.assert_array_equal(ragged[1], model.predict([4]))


def test_probabilities_of_every_step_of_a_list(rng):
    model = classifier(readout="every_step")
    found = model.predict_proba([series_for(model, rng, 1, steps)[0] for steps in (2, 4)])
    assert [p.shape for p in found] == [(2, 4), (4, 4)]


def test_any_layout_and_type_gives_the_same_answers(rng):
    model = classifier()
    x = series_for(model, rng)
    expected = model.predict(x)
    raw = np.zeros(x.nbytes + 1, np.uint8)
    crooked = raw[1:].view(np.float32).reshape(x.shape)  # at an odd address
    crooked[:] = x
    for same in (
        np.asfortranarray(x),
        x[:, ::-1][:, ::-1],
        x.astype("float64"),
        x.astype(">f4"),
        x.tolist(),
        crooked,
    ):
        assert_same_bytes(model.predict(same), expected)
    x.flags.writeable = False
    assert_same_bytes(model.predict(x), expected)


def test_the_array_is_not_changed(rng):
    model = classifier()
    x = series_for(model, rng)
    before = x.copy()
    model.predict(x)
    np.testing.assert_array_equal(x, before)


def test_no_sequences_are_no_error():
    assert classifier().predict(np.zeros((0, 5, 3))).shape == (0, 4)
    assert classifier(readout="every_step").predict(np.zeros((0, 5, 3))).shape == (0, 5, 4)


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (np.zeros((2, 5, 4)), r"\(2, 5, 4\), the model reads \(N, T, 3\)"),
        (np.zeros(3), r"\(3,\)"),
        (np.zeros((2, 0, 3)), "at least 1 step"),
        ([np.zeros((4, 3)), np.zeros((4, 2))], r"\(4, 2\)"),
        ([np.zeros((4, 3)), np.zeros((0, 3))], "sequence 1 of the list has no steps"),
        ([np.zeros((2, 4, 3))], "expected one sequence"),
    ],
)
def test_a_wrong_shape_is_named(x, words):
    with pytest.raises(unroll.ShapeError, match=words):
        classifier().predict(x)


def test_a_number_that_is_no_token_is_named():
    model = make(tokens(7), embedding(7, 4), recurrent("gru", 4, 6), linear(6, 3))
    with pytest.raises(unroll.ArgumentError, match="7"):
        model.predict([1, 7])


@pytest.mark.parametrize("x", [np.zeros((2, 2, 3), complex), np.array([["a", "b", "c"]])])
def test_only_numbers_are_read(x):
    with pytest.raises(TypeError, match="expected numbers"):
        classifier().predict(x)


def test_several_threads_use_one_model(rng):
    model = classifier(hidden=32)
    x = series_for(model, rng, 20, 50)
    expected, found = model.predict(x), []
    threads = [threading.Thread(target=lambda: found.append(model.predict(x))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    for answers in found:
        assert_same_bytes(answers, expected)


def test_a_model_says_what_it_is():
    model = make(
        series(2, names=["flow", "pressure"]),
        recurrent("lstm", 2, 5, num_layers=2),
        linear(5, 2),
        classes=["good", "worn"],
    )
    assert (model.inputs, model.outputs, model.num_layers) == (2, 2, 2)
    assert model.input_names == ["flow", "pressure"]
    assert model.classes == ["good", "worn"]
    assert model.num_parameters == 4 * 5 * (2 + 5 + 2) + 4 * 5 * (5 + 5 + 2) + 5 * 2 + 2
    assert model.dtype == np.float32
    assert model.output == "logits"
    assert model.can_stream
    assert not classifier(bidirectional=True).can_stream
    assert not model.every_step
    assert "(lstm): LSTM(2, 5, num_layers=2, readout=last)" in repr(model)
    model.description["layers"].clear()
    assert len(model.description["layers"]) == 2


@pytest.mark.parametrize("kind", PLAIN)
def test_a_model_can_be_pickled(rng, kind):
    model = PLAIN[kind]()
    x = series_for(model, rng)
    assert_same_bytes(pickle.loads(pickle.dumps(model)).predict(x), model.predict(x))
