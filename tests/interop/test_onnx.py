"""What `unroll export --format onnx` writes, run by ONNX Runtime, against `unroll predict`."""

import itertools
import json
import subprocess

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from safetensors.numpy import load_file

from onnx_models import (
    CELLS, CLASSES, FLAT, HIDDEN, IMAGE, INPUTS, MEAN, MIXED, RESIDUAL, SERIES, STD, TEXT, TOKENS, UNROLL, Model,
    activation, close, conv, layer_norm, linear, outputs, pixels, pool, recurrent, series_layers, text_layers,
    torch_layer, with_head,
)

# ---- whole sequences ----------------------------------------------------------------------------


@pytest.mark.parametrize("bidirectional", [False, True], ids=["one_way", "both_ways"])
@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("cell", CELLS)
def test_cells_depths_and_directions(tmp_path, cell, depth, bidirectional):
    layer = CELLS[cell] | {"num_layers": depth, "bidirectional": bidirectional}
    model = Model(tmp_path, with_head(layer))
    session = model.export()
    for batch, steps in [(1, 1), (3, 7), (2, 20)]:
        images = pixels(batch, steps, INPUTS)
        close(outputs(session, {"input": images})["output"], model.predict_all(images))


@pytest.mark.parametrize("readout", ["last", "mean", "max", "mean_last"])
@pytest.mark.parametrize("cell", ["tanh", "lstm", "gru"])
def test_readouts(tmp_path, cell, readout):
    for bidirectional in (False, True):
        layer = CELLS[cell] | {"readout": readout, "num_layers": 2, "bidirectional": bidirectional}
        model = Model(tmp_path, with_head(layer))
        images = pixels(3, 8, INPUTS)
        close(outputs(model.export(), {"input": images})["output"], model.predict_all(images))


@pytest.mark.parametrize("cell", CELLS)
def test_without_biases(tmp_path, cell):
    layer = CELLS[cell] | {"bias": False, "num_layers": 2}
    model = Model(tmp_path, [layer, linear(HIDDEN, CLASSES, bias=False)])
    images = pixels(2, 5, INPUTS)
    close(outputs(model.export(), {"input": images})["output"], model.predict_all(images))


@pytest.mark.parametrize("dtype", [np.float64, np.float16])
def test_weights_of_other_precision_become_f32(tmp_path, dtype):
    model = Model(tmp_path, with_head(recurrent("lstm", num_layers=2)), dtype=dtype)
    images = pixels(2, 5, INPUTS)
    close(outputs(model.export(), {"input": images})["output"], model.predict_all(images))


def test_layers_around_and_between(tmp_path):
    model = Model(tmp_path, MIXED)
    images = pixels(3, 9, INPUTS)
    close(outputs(model.export(), {"input": images})["output"], model.predict_all(images))


def test_residual_connections_and_scaling(tmp_path):
    model = Model(tmp_path, RESIDUAL)
    images = pixels(3, 9, INPUTS)
    close(outputs(model.export(), {"input": images})["output"], model.predict_all(images))


@pytest.mark.parametrize("readout", ["last", "mean", "max", "mean_last", "every_step"])
def test_embeddings_and_layer_normalisation(tmp_path, readout):
    model = Model(tmp_path, text_layers(readout), **TEXT)
    tokens = np.random.default_rng(2).integers(0, TOKENS, (3, 9))
    close(outputs(model.export(), {"input": tokens})["output"], model.predict_array(tokens))
    # One step at a time.
    session, carried = model.export("--streaming"), {}
    for t in range(9):
        out = outputs(session, {"input": tokens[:, t], **carried})
        carried = {name[:-2] + "_0": value for name, value in out.items() if name != "output"}
        expected = model.predict_array(tokens[:, : t + 1])
        close(out["output"], expected[:, -1] if readout == "every_step" else expected)


def test_layer_normalisation_of_vectors_and_at_the_end(tmp_path):
    vector = {"kind": "vector", "features": 5, "names": [], "mean": [], "std": []}
    array = np.random.default_rng(2).normal(size=(4, 5)).astype(np.float32)
    for norm in (layer_norm(5), layer_norm(5, bias=False), layer_norm(5, affine=False)):
        model = Model(tmp_path, [norm, linear(5, 5), norm | {"name": "last"}], **vector)
        got = outputs(model.export(), {"input": array})["output"]
        close(got, model.predict_array(array))
        # And PyTorch's own.
        x = torch.tensor(array)
        for name, next_linear in (("norm", True), ("last", False)):
            found = [model.weights.get(f"{name}.{part}") for part in ("weight", "bias")]
            weight, bias = (None if w is None else torch.tensor(w) for w in found)
            x = torch.nn.functional.layer_norm(x, (5,), weight, bias, 1e-5)
            if next_linear:
                x = x @ torch.tensor(model.weights["fc.weight"]).T + torch.tensor(model.weights["fc.bias"])
        close(got, x.numpy())


WINDOWS = {
    "padded": dict(padding=2),
    "strided": dict(stride=3, padding=1),
    "dilated": dict(dilation=2, padding=4, bias=False),
    "causal": dict(dilation=2, causal=True),
    "causal and strided": dict(stride=2, causal=True),
}


def series(batch, steps):
    return np.random.default_rng(2).normal(3, 2, (batch, steps, 5)).astype(np.float32)


@pytest.mark.parametrize("kind, readout", [
    (kind, readout)
    for kind, readout in itertools.product(WINDOWS, ["last", "mean", "max", "mean_last", "every_step"])
    if readout != "every_step" or "stride" not in WINDOWS[kind]  # a step for each of the input
])
def test_convolutions_over_time_and_answers_in_their_own_units(tmp_path, kind, readout):
    model, x = Model(tmp_path, series_layers(readout, **WINDOWS[kind]), "values", **SERIES), series(3, 17)
    close(outputs(model.export(), {"input": x})["output"], model.predict_array(x))
    # Each sequence as if it were alone.
    lengths = np.array([17, 8, 11], np.int64)
    got = outputs(model.export("--lengths"), {"input": x, "lengths": lengths})["output"]
    for each, length, all_steps in zip(x, lengths, got):
        expected = model.predict_array(each[None, :length])[0]
        close(all_steps[: len(expected)] if readout == "every_step" else all_steps, expected)


@pytest.mark.parametrize("readout", ["last", "mean", "max", "mean_last", "every_step"])
def test_a_stream_of_a_convolution_and_answers_in_their_own_units(tmp_path, readout):
    model, x = Model(tmp_path, series_layers(readout, **WINDOWS["causal"]), "values", **SERIES), series(2, 12)
    session, carried = model.export("--streaming"), {}
    for t in range(x.shape[1]):
        out = outputs(session, {"input": x[:, t], **carried})
        carried = {name.removesuffix("_n") + "_0": value for name, value in out.items() if name != "output"}
        expected = model.predict_array(x[:, : t + 1])
        close(out["output"], expected[:, -1] if readout == "every_step" else expected)


def test_no_layer_after_the_recurrent_one(tmp_path):
    for readout in ("last", "mean", "max", "mean_last"):
        model = Model(tmp_path, [recurrent("gru", readout=readout)])
        images = pixels(2, 5, INPUTS)
        close(outputs(model.export(), {"input": images})["output"], model.predict_all(images))


@pytest.mark.parametrize("head", [True, False], ids=["head", "bare"])
def test_an_output_for_every_step(tmp_path, head):
    layer = recurrent("lstm", readout="every_step", num_layers=2)
    model = Model(tmp_path, with_head(layer) if head else [layer])
    images = pixels(2, 6, INPUTS)
    expected = np.stack([model.predict(image, rows=True) for image in images])
    close(outputs(model.export(), {"input": images})["output"], expected)


def test_logits_are_those_behind_the_probabilities(tmp_path):
    model = Model(tmp_path, with_head(recurrent("rnn")), output="logits")
    images = pixels(2, 6, INPUTS)
    logits = outputs(model.export(), {"input": images})["output"].astype(np.float64)
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    close(e / e.sum(axis=1, keepdims=True), model.predict_all(images))


def test_lengths(tmp_path):
    lengths = np.array([8, 1, 5], np.int64)
    images = pixels(3, 8, INPUTS)
    for cell, readout in itertools.product(CELLS, ["last", "mean", "max", "mean_last"]):
        for bidirectional in (False, True):
            layer = CELLS[cell] | {"readout": readout, "num_layers": 2, "bidirectional": bidirectional}
            model = Model(tmp_path, with_head(layer))
            expected = np.stack([model.predict(i[:n]) for i, n in zip(images, lengths)])
            got = outputs(model.export("--lengths"), {"input": images, "lengths": lengths})
            close(got["output"], expected)


def test_lengths_with_an_output_for_every_step(tmp_path):
    lengths = np.array([2, 5], np.int64)
    images = pixels(2, 5, INPUTS)
    model = Model(tmp_path, with_head(recurrent("gru", readout="every_step")))
    got = outputs(model.export("--lengths"), {"input": images, "lengths": lengths})["output"]
    for image, length, each in zip(images, lengths, got):
        close(each[:length], model.predict(image[:length], rows=True))
        assert not each[length:].any()


# ---- images and vectors -------------------------------------------------------------------------


def test_logistic_regression_and_a_feedforward_network(tmp_path):
    images = pixels(3, 9, 8)
    for layers in (
        [linear(72, CLASSES)],
        [linear(72, 20, "fc1"), activation("relu"), linear(20, 10, "fc2"), activation("tanh"), linear(10, CLASSES)],
    ):
        model = Model(tmp_path, layers, **FLAT)
        got = outputs(model.export(), {"input": images.reshape(3, 72)})["output"]
        close(got, model.predict_all(images))


def test_convolutions(tmp_path):
    layers = [
        conv("cnn1", 1, 4, (5, 5), padding=(2, 2)),
        activation("relu"),
        pool((2, 2), (2, 2)),
        conv("cnn2", 4, 6, (3, 2), stride=(2, 1), padding=(1, 0), bias=False),
        pool((2, 3), (1, 1), (1, 1)),
        {"type": "flatten"},
        linear(6 * 3 * 3, CLASSES),
    ]
    model = Model(tmp_path, layers, **IMAGE)
    images = pixels(3, 9, 8)
    got = outputs(model.export(), {"input": images[:, None]})["output"]
    close(got, model.predict_all(images))


@pytest.mark.parametrize("permutation", [None, 17])
def test_pixels_one_after_the_other(tmp_path, permutation):
    layer = recurrent("gru", input_size=1)
    model = Model(tmp_path, with_head(layer), form="pixels", height=5, width=4, permutation=permutation)
    images = pixels(2, 5, 4)
    got = outputs(model.export(), {"input": images.reshape(2, 20, 1)})["output"]
    # In their own order pixels come one a line, permuted ones by the image.
    close(got, model.predict_all(images if permutation else images.reshape(2, 20, 1)))


@pytest.mark.parametrize("form", ["rows", "flat", "image"])
def test_permuted_images(tmp_path, form):
    images = pixels(2, 9, INPUTS)
    layers = {
        "rows": with_head(recurrent("rnn")),
        "flat": [linear(54, CLASSES)],
        "image": [conv("cnn", 1, 2, (9, 6)), {"type": "flatten"}, linear(2, CLASSES)],
    }[form]
    model = Model(tmp_path, layers, form=form, height=9, width=INPUTS, permutation=3)
    shape = {"rows": (2, 9, INPUTS), "flat": (2, 54), "image": (2, 1, 9, INPUTS)}[form]
    got = outputs(model.export(), {"input": images.reshape(shape)})["output"]
    close(got, model.predict_all(images))


def test_input_that_is_scaled_already(tmp_path):
    model = Model(tmp_path, with_head(recurrent("rnn")))
    images = pixels(2, 5, INPUTS)
    got = outputs(model.export("--no-scaling"), {"input": (images / 255 - np.float32(MEAN)) / np.float32(STD)})
    close(got["output"], model.predict_all(images))


def test_a_trained_model_of_a_task_reads_numbers_as_they_are(tmp_path):
    run = tmp_path / "run"
    subprocess.run(
        [UNROLL, "train", "adding", "--model", "gru", "--length", "12", "--steps", "20", "--out", str(run)],
        check=True,
        capture_output=True,
    )
    path = tmp_path / "adding.onnx"
    subprocess.run([UNROLL, "export", str(run), "--format", "onnx", "-o", str(path)], check=True, capture_output=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    weights = load_file(run / "model.safetensors")
    hidden = weights["gru.weight_hh_l0"].shape[1]
    layer = recurrent("gru", input_size=2, hidden_size=hidden)
    x = np.random.default_rng(4).uniform(size=(3, 12, 2)).astype(np.float32)
    with torch.no_grad():
        y, _ = torch_layer(layer, weights)(torch.tensor(x))
    expected = y[:, -1].numpy() @ weights["fc.weight"].T + weights["fc.bias"]
    close(outputs(session, {"input": x})["output"], expected)


# ---- what the file says, and what is refused ----------------------------------------------------


def test_the_file_describes_itself(tmp_path):
    model = Model(tmp_path, with_head(recurrent("lstm", num_layers=2, bidirectional=True)))
    session = model.export()
    shapes = {v.name: v.shape for v in session.get_inputs() + session.get_outputs()}
    assert shapes["input"] == ["batch", "time", INPUTS]
    assert shapes["output"] == ["batch", CLASSES]
    assert shapes["lstm.h_n"] == shapes["lstm.c_n"] == [4, "batch", HIDDEN]
    assert {i.name for i in session.get_overridable_initializers()} == {"lstm.h_0", "lstm.c_0"}
    description = json.loads(session.get_modelmeta().custom_metadata_map["unroll"])
    assert description["layers"] == model.layers


def test_the_bytes_are_those_of_the_onnx_package(tmp_path):
    model = Model(tmp_path, MIXED)
    model.export()
    path = tmp_path / "model.onnx"
    assert onnx.load(path).SerializeToString(deterministic=True) == path.read_bytes()


def test_the_same_model_gives_the_same_bytes(tmp_path):
    model = Model(tmp_path, MIXED)
    path = tmp_path / "model.onnx"
    model.export()
    first = path.read_bytes()
    model.export()
    assert path.read_bytes() == first


def test_what_onnx_cannot_say_is_refused_by_name(tmp_path):
    for layer, words in [
        (recurrent("lstm", proj_size=4), ['"lstm":', "projection (proj_size 4)"]),
        (recurrent("gru", layer_norm=True), ['"gru":', "layer normalisation"]),
        (recurrent("rnn", zoneout_h=0.25), ['"rnn":', "zoneout", "0.25"]),
    ]:
        out = layer.get("proj_size") or HIDDEN
        error = Model(tmp_path, [layer, linear(out, CLASSES)]).refuse()
        assert all(word in error for word in words), error


def test_streams_and_lengths_that_make_no_sense_are_refused(tmp_path):
    both_ways = Model(tmp_path, with_head(recurrent("gru", bidirectional=True)))
    assert '"gru" is bidirectional' in both_ways.refuse("--streaming")
    assert "no end" in Model(tmp_path, with_head(recurrent("gru"))).refuse("--streaming", "--lengths")
    flat = Model(tmp_path, [linear(72, CLASSES)], **FLAT)
    assert "reads no sequences" in flat.refuse("--streaming")
    assert "reads no sequences" in flat.refuse("--lengths")
    permuted = Model(tmp_path, with_head(recurrent("rnn")), height=5, permutation=1)
    assert "another order" in permuted.refuse("--streaming")
