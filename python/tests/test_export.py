"""Model.export writes what the program writes."""

import json

import numpy as np
import pytest
from models import classifier

import unroll


@pytest.mark.parametrize(
    ("format", "options", "flags"),
    [
        ("onnx", {}, []),
        ("onnx", {"streaming": True}, ["--streaming"]),
        ("onnx", {"lengths": True}, ["--lengths"]),
        ("cpp", {"name": "net"}, ["--name", "net"]),
        ("cpp", {"name": "net", "int8": True}, ["--name", "net", "--int8"]),
        ("js", {}, []),
    ],
)
def test_the_file_is_the_programs(program, tmp_path, format, options, flags):
    model = classifier("lstm")
    model.save(tmp_path / "model.safetensors")
    model.export(format, tmp_path / "mine", **options)
    program("export", tmp_path / "model.safetensors", "--format", format, "-o", tmp_path / "theirs", *flags)
    assert (tmp_path / "mine").read_bytes() == (tmp_path / "theirs").read_bytes()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_npz_has_weights_and_description(tmp_path, dtype):
    model = classifier(dtype=dtype)
    model.export("npz", tmp_path / "model.npz")
    archive = np.load(tmp_path / "model.npz")
    for name, values in model.weights.items():
        assert archive[name].dtype == dtype
        np.testing.assert_array_equal(archive[name], values)
    assert json.loads(archive["description.json"]) == model.description
    model.export("npz", tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "model.npz").read_bytes()


def test_a_header_takes_its_name_from_the_file(tmp_path):
    classifier().export("cpp", tmp_path / "walks.h")
    assert "namespace walks" in (tmp_path / "walks.h").read_text()


def test_what_can_not_be_written_is_said(tmp_path):
    model = classifier(bidirectional=True)
    for format, options, words in [
        ("pdf", {}, "expected onnx, cpp, js, npz"),
        ("npz", {"int8": True}, "no option 'int8'; it has none"),
        ("onnx", {"name": "x"}, "it has streaming, lengths, scaling"),
        ("cpp", {}, "bidirectional"),
        ("onnx", {"streaming": True}, 'streaming=True: "gru" is bidirectional'),
    ]:
        with pytest.raises(unroll.ArgumentError, match=words):
            model.export(format, tmp_path / "file", **options)
    assert not (tmp_path / "file").exists()
    with pytest.raises(unroll.FileError):
        model.export("js", tmp_path / "no folder" / "net.js")
