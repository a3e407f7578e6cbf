#!/usr/bin/env python3
"""fuzz_seeds.py: writes the seeds of tests/fuzz/corpus: small sound files of each kind, and files damaged
in the ways that a reader must refuse. Files that a fuzzer found are there under names of their own and
stay.
fuzz_seeds.py FOLDER: writes files of nearly 1 MB to it instead, each of one thing many times. A reader
that goes through all things for each of them needs more than the targets allow."""
import gzip
import io
import json
import math
import pathlib
import random
import struct
import sys
import zipfile

CORPUS = pathlib.Path(__file__).resolve().parent.parent / "tests/fuzz/corpus"


def write(target, name, content):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(content, (dict, list)):
        content = json.dumps(content)
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)


def compress(content):
    return gzip.compress(content, 9, mtime=0)


def idx(shape, values, element=8):
    sizes = b"".join(struct.pack(">I", size) for size in shape)
    return bytes([0, 0, element, len(shape)]) + sizes + values


def idx_seeds():
    images = idx((3, 2, 2), bytes(range(12)))
    labels = idx((4,), bytes([1, 9, 0, 255]))
    write("idx", "images", images)
    write("idx", "labels", labels)
    write("idx", "images-gzip", compress(images))
    write("idx", "labels-gzip", compress(labels))
    write("idx", "empty", b"")
    write("idx", "truncated", images[:-1])
    write("idx", "too-long", images + b"\0")
    write("idx", "no-rows", idx((3, 0, 2), b""))
    write("idx", "overflow", idx((2**32 - 1,) * 3, bytes(12)))
    write("idx", "huge", idx((2**32 - 1,), bytes(12)))
    write("idx", "floats", idx((1,), bytes(4), 0x0D))
    write("idx", "rank-2", idx((2, 2), bytes(4)))
    write("idx", "page", "<!DOCTYPE html><html></html>")
    write("idx", "pointer", "version https://git-lfs.github.com/spec/v1\n")
    write("idx", "zip", b"PK\3\4" + bytes(20))


def gzip_seeds():
    member = compress(bytes(range(16)) * 8)
    write("gzip", "member", member)
    write("gzip", "stored", gzip.compress(b"not compressed", 0, mtime=0))
    write("gzip", "empty", compress(b""))
    write("gzip", "two-members", member + compress(b"another"))
    write("gzip", "junk", member + b"junk")
    write("gzip", "truncated", member[:-3])
    write("gzip", "checksum", member[:-8] + bytes(4) + member[-4:])
    write("gzip", "length", member[:-4] + b"\xff\xff\xff\xff")
    # A name, a comment and an extra field, as RFC 1952 has them.
    fields = b"\x1f\x8b\x08\x1c" + bytes(6) + b"\x04\0xtra" + b"name\0" + b"comment\0"
    write("gzip", "fields", fields + member[10:])
    write("gzip", "not-gzip", "text")
    write("gzip", "zeros", compress(bytes(60000)))


def npy(header, data, version=1):
    header = header.encode() + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H", len(header)) + header + data


def npy_header(descr, shape, order=False):
    return f"{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}"


def npy_seeds():
    write("npy", "floats", npy(npy_header("<f4", "(2, 3)"), struct.pack("<6f", *range(6))))
    write("npy", "doubles", npy(npy_header("<f8", "(3,)"), struct.pack("<3d", *range(3))))
    write("npy", "number", npy(npy_header("<f4", "()"), struct.pack("<f", 1.5)))
    write("npy", "no-elements", npy(npy_header("<f4", "(0, 5)"), b""))
    write("npy", "integers", npy(npy_header("<i4", "(1,)"), bytes(4)))
    write("npy", "big-endian", npy(npy_header(">f4", "(1,)"), bytes(4)))
    write("npy", "fortran", npy(npy_header("<f4", "(1, 1)", True), bytes(4)))
    write("npy", "version-2", npy(npy_header("<f4", "(1,)"), bytes(4), 2))
    write("npy", "overflow", npy(npy_header("<f8", "(9223372036854775807, 4)"), bytes(8)))
    write("npy", "negative", npy(npy_header("<f4", "(-1,)"), bytes(4)))
    write("npy", "truncated", npy(npy_header("<f4", "(4,)"), bytes(15)))


def npz(compression=zipfile.ZIP_STORED, **arrays):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", compression) as archive:
        for name, content in arrays.items():
            archive.writestr(zipfile.ZipInfo(name + ".npy"), content, compression)
    return packed.getvalue()


def npz_seeds():
    x = npy(npy_header("<f4", "(2, 3)"), struct.pack("<6f", 1, 2, 3, 4, 5, float("nan")))
    y, one = npy(npy_header("|u1", "(2,)"), bytes([7, 9])), npy(npy_header("<f8", "(1, 1, 2)"), bytes(16))
    steps = npy(npy_header("<i2", "(2, 3)"), bytes(12))
    ends = {"lengths": npy(npy_header("<i8", "(2,)"), struct.pack("<2q", 3, 1)), "groups": y}
    each = npy(npy_header("|u1", "(1,)"), b"\1")
    for end in range(6):  # the size decides the task
        write("npz", f"whole-{end}", npz(X=x, y=y, **ends) + bytes(end))
        write("npz", f"steps-{end}", npz(zipfile.ZIP_DEFLATED, X=x, y=steps) + bytes(end))
        write("npz", f"parts-{end}", npz(X_train=one, y_train=each, X_test=one, y_test=each) + bytes(end))
    texts = {"characters": npy(npy_header("<U2", "(2,)"), "ab\0ü".encode("utf-32-le")),
             "bytes": npy(npy_header("|S2", "(2,)"), b"a\0bc"),
             "swapped": npy(npy_header(">U1", "(2,)"), "ab".encode("utf-32-be")),
             "surrogate": npy(npy_header("<U1", "(2,)"), struct.pack("<2I", 97, 0xD800)),
             "no-characters": npy(npy_header("<U0", "(2,)"), b"")}
    for name, content in texts.items():
        for end in range(3):
            write("npz", f"texts-{name}-{end}", npz(X=x, y=content, groups=texts["bytes"]) + bytes(end))
    write("npz", "y-in-one-part", npz(X_train=one, X_test=one, y_test=each) + bytes(1))
    write("npz", "y-in-one-part-1", npz(X_train=one, X_test=one, y_train=each))
    write("npz", "other", npz(a=x, b=y))
    write("npz", "no-entries", npz())
    write("npz", "truncated", npz(X=x, y=y)[:-30])


def safetensors(header, data=b"", length=None):
    text = header if isinstance(header, str) else json.dumps(header, separators=(",", ":"))
    size = len(text.encode()) if length is None else length
    return struct.pack("<Q", size) + text.encode() + data


def tensors(**shapes):
    """A header for float tensors of these shapes, and the size of their data."""
    header, position = {}, 0
    for name, shape in shapes.items():
        size = 4
        for n in shape:
            size *= n
        header[name.replace("__", ".")] = {
            "dtype": "F32", "shape": shape, "data_offsets": [position, position + size]}
        position += size
    return header, position


def safetensors_seeds():
    models = {
        "linear": tensors(fc__weight=[2, 3], fc__bias=[2]),
        "rnn": tensors(rnn__weight_ih_l0=[2, 3], rnn__weight_hh_l0=[2, 2], rnn__bias_ih_l0=[2],
                       rnn__bias_hh_l0=[2], fc__weight=[1, 2], fc__bias=[1]),
        "lstm": tensors(l__weight_ih_l0=[8, 1], l__weight_hh_l0=[8, 1], l__weight_hr_l0=[1, 2]),
        "gru": tensors(g__weight_ih_l0=[3, 1], g__weight_hh_l0=[3, 1],
                       g__weight_ih_l0_reverse=[3, 1], g__weight_hh_l0_reverse=[3, 1]),
    }
    for name, (header, size) in models.items():
        write("safetensors", name, safetensors(header, bytes(size)))
    one = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
    write("safetensors", "metadata", safetensors({"__metadata__": {"key": "text"}, "a": one}, bytes(4)))
    for dtype, size in {"F64": 8, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1,
                        "U8": 1, "BOOL": 1, "F8_E4M3": 1}.items():
        array = {"dtype": dtype, "shape": [1], "data_offsets": [0, size]}
        write("safetensors", dtype.lower(), safetensors({"a": array}, bytes(size)))
    write("safetensors", "nothing", safetensors("{}"))
    write("safetensors", "more-fields",
          safetensors({"__metadata__": None, "a": {"x": {"y": [1, None, -2.5]}, **one, "z": True}}, bytes(4)))
    for name, start in {"hdf5": b"\x89HDF\r\n\x1a\n", "onnx": b"\x08\7\x12\7pytorch", "gguf": b"GGUF\3",
                        "torch": b"PK\3\4" + bytes(22) + b"\x0a\0\0\0a/data.pkl",
                        "text": b"Entry not found", "json": b'{"weight_map": {}}'}.items():
        write("safetensors", "kind-" + name, start)
    write("safetensors", "empty-array",
          safetensors({"a": {"dtype": "F32", "shape": [0, 7], "data_offsets": [0, 0]}}))
    write("safetensors", "escaped", safetensors('{"\\u0061\\n":%s}' % json.dumps(one), bytes(4)))
    write("safetensors", "twice", safetensors('{"a":%s,"a":%s}' % ((json.dumps(one),) * 2), bytes(4)))
    write("safetensors", "overlap", safetensors({"a": one, "b": one}, bytes(4)))
    write("safetensors", "hole",
          safetensors({"a": one, "b": {**one, "data_offsets": [8, 12]}}, bytes(12)))
    write("safetensors", "backwards", safetensors({"a": {**one, "data_offsets": [4, 0]}}, bytes(4)))
    write("safetensors", "overflow",
          safetensors({"a": {**one, "shape": [2**62, 2**62]}}, bytes(4)))
    write("safetensors", "deep", safetensors("[" * 500))
    write("safetensors", "header-length", safetensors("{}", length=2**63))
    write("safetensors", "truncated", safetensors({"a": one}, bytes(3)))


def model_seeds():
    norm = {"mean": 0.1307, "std": 0.3081}
    rows = {"form": "rows", "height": 28, "width": 28, "permutation": None, **norm}
    fc = {"type": "linear", "name": "fc", "in_features": 4, "out_features": 2, "bias": True}
    rest = {"bidirectional": False, "bias": True, "layer_norm": False, "zoneout_h": 0.0,
            "learn_initial_state": False, "readout": "last"}
    layer = {"name": "rnn", "input_size": 28, "hidden_size": 4, "num_layers": 1, **rest}
    cells = {
        "rnn": {"type": "rnn", "nonlinearity": "relu", **layer},
        "lstm": {"type": "lstm", "proj_size": 2, "zoneout_c": 0.1, **layer, "bidirectional": True},
        "gru": {"type": "gru", **layer, "layer_norm": True, "learn_initial_state": True},
    }
    end = {"output": "logits", "dataset": "mnist", "classes": ["zero", "one"]}
    for name, cell in cells.items():
        write("model", name, {"version": 2, "input": rows, "layers": [cell, fc], **end})
    write("model", "steps", {
        "version": 2, "input": {**rows, "form": "pixels", "height": 0, "width": 0},
        "layers": [{**cells["rnn"], "input_size": 1, "readout": "every_step"}],
        "output": "values", "dataset": "", "classes": []})
    image = {**rows, "form": "image", "permutation": 7}
    convolution = {"type": "conv2d", "name": "conv", "in_channels": 1, "out_channels": 2,
                   "kernel": [5, 5], "stride": [1, 1], "padding": [2, 2], "bias": True}
    pooling = {"type": "max_pool2d", "kernel": [2, 2], "stride": [2, 2], "padding": [0, 0]}
    write("model", "cnn", {
        "version": 2, "input": image,
        "layers": [convolution, {"type": "activation", "function": "relu"}, pooling,
                   {"type": "flatten"}, {**fc, "in_features": 392}], **end})
    write("model", "flat", {"version": 2, "input": {**rows, "form": "flat"},
                            "layers": [{**fc, "in_features": 784}], **end, "output": "scores"})
    write("model", "version-1", {
        "version": 1, "kind": "rnn", "recurrent": "rnn", "input_size": 28, "hidden_size": 4,
        "num_layers": 1, "bias": True, "nonlinearity": "tanh", "readout": "fc", "outputs": 2,
        "steps": 28, "input_mean": 0.0, "input_std": 1.0, "dataset": "mnist", "classes": []})
    gru = [cells["gru"], fc]
    series = {"kind": "series", "features": 28, "steps": 0, "names": [], "mean": [0.5], "std": [2]}
    write("model", "series", {"version": 4, "input": series, "layers": gru, **end})
    write("model", "vector", {
        "version": 4, "input": {"kind": "vector", "features": 4, "names": list("abcd"), "mean": [],
                                "std": []}, "layers": [fc], **end})
    write("model", "tokens", {
        "version": 4, "input": {"kind": "tokens", "tokens": 3, "steps": 9, "vocabulary": list("abc")},
        "layers": [{"type": "embedding", "name": "embedding", "num_embeddings": 3, "embedding_dim": 28},
                   *gru], **end})
    write("model", "images", {"version": 4, "input": {"kind": "images", **rows}, "layers": gru,
                              **end, "output": "values"})
    write("model", "newer", {"version": 5})
    write("model", "too-many-layers", {"version": 2, "input": rows,
                                       "layers": [{**cells["rnn"], "num_layers": 2**62}], **end})
    write("model", "deep", '{"version":' + "[" * 500)
    write("model", "control-character", {"version": 2, "input": rows, "layers": [], **end, "a\x1b": 1})


def config_seeds():
    settings = {
        "recipe": "tuned", "dataset": "mnist", "length": 100, "model": "rnn", "hidden": 100,
        "layers": 1, "activation": "relu", "permute": None, "dropout": 0.0, "input": "rows",
        "readout": "last", "bidirectional": False, "layer_norm": False, "zoneout_h": 0.0,
        "zoneout_c": 0.0, "learn_initial_state": False, "proj_size": 0, "forget_bias": 0.0,
        "tbptt": 0, "init": "torch", "batch_size": 100, "steps": 3000, "epochs": 0,
        "augment": "none", "normalize": [0.1307, 0.3081], "optimizer": "muon", "lr": 0.02,
        "lr_others": 0.01, "momentum": 0.95, "beta2": 0.999, "weight_decay": 0.01,
        "clip_norm": 1.0, "schedule": "linear", "seed": 0, "rng": "native", "dtype": "f32",
        "precision": "full", "threads": 0, "eval_every": 500, "save_at": [1, 100]}
    about = {"numerics_revision": 3, "data": {"train_sha256": "ab", "test_sha256": "cd"}}

    def config(name, **changes):
        write("config", name, {**about, "settings": {**settings, **changes}})

    config("rnn")
    config("lstm", model="lstm", proj_size=7, zoneout_c=0.1, forget_bias=1, bidirectional=True)
    config("cnn", model="cnn", hidden=16, layers=2, augment="shift1", optimizer="adamw")
    config("adding", dataset="adding", model="gru", normalize=[0, 1], optimizer="adam")
    config("copy", dataset="copy", normalize=[0, 1], tbptt=20, clip_norm=1e-300)
    config("pixels", input="pixels", permute=2**64 - 1, rng="torch", dtype="f64")
    config("regularised", model="gru", variational_dropout=0.1, recurrent_dropout=0.2,
           weight_drop=0.3, ar=2, tar=1, init="xavier", optimizer="rmsprop", schedule="one-cycle")
    config("gamma", optimizer="adam", amsgrad=True, schedule="step", gamma=0.5, gamma_every=100)
    config("unknown-key", hiden=100)
    config("control-character", **{"a\x1b[2Jb": 1})
    config("negative", hidden=-1, lr=-1)
    config("not-a-number", lr="nan")
    config("nested", save_at=[[[1]]])
    write("config", "nothing", {**about, "settings": {}})
    write("config", "no-data", {"settings": settings})
    write("config", "overflow", json.dumps({**about, "settings": {"lr": 1}}).replace("1}", "1e999}"))
    write("config", "twice", '{"settings":{"lr":1,"lr":2},"numerics_revision":3,"data":{}}')
    write("config", "deep", '{"settings":{"lr":' + "[" * 500 + "]" * 500 + "}}")


def text(value):
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def tensor(storage, key, elements, offset, sizes, strides):
    """The operations that make a tensor, as torch.save writes them."""
    def numbers(values):  # of 64 bits
        return b"(" + b"".join(b"\x8a\x08" + struct.pack("<q", v) for v in values) + b"t"

    identity = (b"(" + text("storage") + b"ctorch\n" + storage.encode() + b"\n" + text(key) +
                text("cpu") + b"K" + bytes([elements]) + b"tQ")
    return (b"ctorch._utils\n_rebuild_tensor_v2\n(" + identity + b"K" + bytes([offset]) +
            numbers(sizes) + numbers(strides) + b"\x89ccollections\nOrderedDict\n)RtR")


def seed_objects(doubles, state):
    """Values beside a state_dict, whole modules, and files of before PyTorch 1.6."""
    def short(value):
        return b"\x8c" + bytes([len(value)]) + value.encode()

    frame = b"\x80\4\x95" + struct.pack("<Q", 60)
    write("pt", "protocol-4", frame + b"}\x94(" + short("w") + doubles + short("s") + b"\x8f(K\1\x90" +
          short("f") + b"(K\1\x91" + short("b") + b"C\1x" + short("g") + short("torch") +
          short("float32") + b"\x93u.")
    write("pt", "objects", b"\x80\2}(" + text("sd") + state + text("n") + b"\x8a\x09" + bytes(8) + b"\1" +
          text("long") + b"\x8b\x02\0\0\0\1\1" + text("counter") + b"ccollections\nCounter\n}" +
          text("x") + b"K\1s\x85R" + text("args") + b"cargparse\nNamespace\n)\x81}" + text("lr") +
          b"K\1sb" + text("set") + b"c__builtin__\nset\n](K\1e\x85R" + text("od") +
          b"ccollections\nOrderedDict\n](](" + text("a") + b"K\1ee\x85R" + text("u") + b"U\1xI01\nL9L\n000u.")
    module = (b"c__main__\nNet\n)\x81q\5}(" + text("_parameters") + b"}" + text("weight") + doubles + b"s" +
              text("_buffers") + b"}" + text("_non_persistent_buffers_set") + b"c__builtin__\nset\n]\x85R" +
              text("_modules") + b"}" + text("part") + b"cx\nPart\n)\x81}(" + text("_parameters") + b"}" +
              text("bias") + doubles + b"s" + text("_modules") + b"}ubsub")
    write("pt", "module", b"\x80\2" + module + b".")
    write("pt", "module-in-itself", b"\x80\2cx\nN\n)\x81q\5}(" + text("_parameters") + b"}" +
          text("_modules") + b"}" + text("m") + b"h\5sub.")
    write("pt", "script", b"\x80\2c__torch__\nNet\n)\x81}(" + text("training") + b"\x89" + text("w") + doubles +
          text("fc") + b"c__torch__.torch.nn.modules.linear\nLinear\n)\x81}" + text("bias") + doubles +
          b"sbub.")
    write("pt", "nested", b"\x80\2}(" + text("model") + b"}" + text("state_dict") + state + b"s" +
          text("a") + b"](" + b"}" + text("w") + doubles + b"seu.")
    write("pt", "layers", b"\x80\2}(" + text("rnn") + b"}" + text("w") + doubles + b"s" + text("fc") + b"}" +
          text("bias") + doubles + b"su.")
    magic = b"\x80\2\x8a\n\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
    facts = b"\x80\2}" + text("little_endian") + b"\x88s."
    old = (magic + b"\x80\2M\xe9\3." + facts + b"\x80\2}" + text("w") + doubles + b"s." +
           b"\x80\2]" + text("1") + b"a." + struct.pack("<Q", 2) + struct.pack("<2d", 1, 2))
    write("pt", "old", old)
    write("pt", "old-truncated", old[:-3])


def pt_seeds():
    # Storage 0 has 64 bytes, storage 1 has 16 (pt_target.cpp).
    matrix = tensor("FloatStorage", "0", 16, 0, [4, 4], [4, 1])
    turned = tensor("FloatStorage", "0", 16, 1, [2, 3], [1, 4])
    doubles = tensor("DoubleStorage", "1", 2, 0, [2], [1])
    state = (b"ccollections\nOrderedDict\nq\0)Rq\1(" + text("weight") + matrix + text("turned") +
             turned + text("doubles") + doubles + b"u")
    metadata = b"}q\2" + text("_metadata") + b"ccollections\nOrderedDict\n)Rsb"
    write("pt", "state-dict", b"\x80\2" + state + b".")
    write("pt", "metadata", b"\x80\2" + state + metadata + b".")
    write("pt", "checkpoint", b"\x80\2}(" + text("epoch") + b"M\x10\x27" + text("model") + state +
          text("lr") + b"G" + struct.pack(">d", 0.1) + text("big") + b"\x8a\x05\1\2\3\4\5" +
          text("all") + b"](NJ\xff\xff\xff\xff\x88e" + text("again") + b"h\1\x85u.")
    write("pt", "parameter", b"\x80\2}" + text("p") + b"ctorch._utils\n_rebuild_parameter\n(" +
          doubles + b"\x88ccollections\nOrderedDict\n)RtRs.")
    write("pt", "long-memo", b"\x80\2}r\0\1\0\0j\0\1\0\0\x860.")
    write("pt", "system", b"\x80\2cposix\nsystem\n" + text("touch attacked") + b"\x85R.")
    write("pt", "beyond", b"\x80\2}" + text("t") +
          tensor("FloatStorage", "0", 16, 0, [4, 5], [4, 1]) + b"s.")
    write("pt", "stride-of-one-element", b"\x80\2}" + text("t") +
          tensor("FloatStorage", "0", 16, 0, [1, 4], [2**62, 1]) + b"s.")
    write("pt", "no-end", b"\x80\2}")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {"a/data.pkl": b"\x80\2" + state + b".", "a/byteorder": b"little",
                              "a/data/0": bytes(64), "a/data/1": bytes(16)}.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    seed_objects(doubles, state)
    write("pt", "archive", packed.getvalue())
    write("pt", "truncated-archive", packed.getvalue()[:-30])


def architecture_seeds():
    # The weights are those of architecture_target.cpp.
    def seed(name, *layers, **more):
        write("architecture", name, {"layers": layers, **more})

    rnn = {"type": "rnn", "name": "rnn", "nonlinearity": "tanh"}
    lstm = {"type": "lstm", "name": "lstm", "readout": "last"}
    fc = {"type": "linear", "name": "fc"}
    seed("rnn", {**rnn, "readout": "last"}, fc)
    seed("stack", {"type": "scale", "mean": "mean", "std": 2.0}, rnn, lstm)
    seed("residual", {**rnn, "readout": "every_step"}, fc, {"type": "residual", "over": 1})
    seed("convolution", {"type": "conv2d", "name": "conv", "stride": [1, 1], "padding": [1, 1]},
         {"type": "flatten"}, input={"form": "image", "height": 2, "width": 2})
    seed("questions", {"type": "rnn", "name": "rnn"}, {"type": "activation"}, fc)
    seed("no-such-layer", {"type": "linear", "name": "head\x1b"})
    seed("other-type", {**lstm, "name": "rnn"}, fc, output="values", dataset="x", classes=["a", "b"])
    write("architecture", "nothing", {})


LARGE = 1_000_000


def metrics_seeds():
    step = {"event": "step", "step": 1, "loss": 2.5, "grad_norm": 3, "epoch": 1, "lr": 0.1}
    layer = {"name": "rnn", "weights": [0, 0.1, 0.5], "moved": 0.002, "dead": 0.25,
             "activations": [0.1, 0.2, None], "gradient": [1e-3, None]}
    inside = {"rows": 8, "update_steps": 1, "times": [1, 28], "output_spread": 0.5,
              "chance": 11.35, "layers": [layer]}
    test = {"event": "eval", "step": 1, "loss": 2.25, "accuracy": 12.5, "dataset": "mnist",
            "inside": inside}
    end = {"event": "diverged", "step": 2, "loss": None, "grad_norm": None, "lr": 0.1,
           "kept": {"step": 1, "loss": 2.25}, "inside": inside, "reason": "stopped at step 2"}

    def seed(name, *lines):
        write("metrics", name, "".join(json.dumps(line) + "\n" for line in lines))

    seed("run", step, test, end)
    seed("first-version", {"event": "step", "step": 1, "loss": 2.5, "grad_norm": 3})
    seed("other-event", {"event": "note"})
    seed("text-for-a-number", dict(step, loss="x"))
    seed("no-layers", dict(test, inside={}))
    seed("half-a-spread", dict(test, inside=dict(inside, layers=[dict(layer, weights=[1])])))
    write("metrics", "unfinished", json.dumps(step) + "\n{\"event\":\"st")


def samples_file(**shapes):
    """A file of zeros, with arrays of these shapes."""
    types = {"indices": "I64", "worst": "I64", "targets": "I64", "confusion": "I64",
             "lengths": "I64", "inputs": "U8"}
    sizes = {"I64": 8, "F32": 4, "U8": 1}
    at, header = 0, {"__metadata__": {"format": "unroll samples 1", "classes": '["a", "b"]'}}
    for name in sorted(shapes, key=lambda n: -sizes[types.get(n, "F32")]):
        kind = types.get(name, "F32")
        end = at + math.prod(shapes[name]) * sizes[kind]
        header[name] = {"dtype": kind, "shape": shapes[name], "data_offsets": [at, end]}
        at = end
    return safetensors(header, bytes(at))


def samples_seeds():
    shapes = dict(indices=[2], worst=[1], targets=[2], outputs=[2, 2], losses=[2],
                  inputs=[2, 3, 4], confusion=[2, 2])
    write("samples", "images", samples_file(**shapes))
    write("samples", "no-samples", samples_file(indices=[0], worst=[0], losses=[0]))
    write("samples", "other-counts", samples_file(**dict(shapes, outputs=[3, 2])))
    write("samples", "oblong", samples_file(**dict(shapes, confusion=[2, 3])))
    write("samples", "every-step",
          samples_file(**dict(shapes, targets=[2, 3], outputs=[2, 3, 2])))
    write("samples", "short", samples_file(**dict(shapes, lengths=[2])))


def filled(start, each, end):
    return start + ",".join([each] * (LARGE // (len(each) + 1))) + end


def large_json():
    lists = {
        "objects": '{"layers":[' + ",".join(["{}"] * (LARGE // 3)) + "]}",
        "lists": filled('{"layers":[', "[]", "]}"),
        "numbers": filled('{"settings":{"save_at":[', "1", "]}}"),
        "texts": filled('{"classes":[', '""', "]}"),
        "layers": filled('{"version":3,"layers":[', '{"type":"flatten"}', "]}"),
        "keys": "[" + ",".join(["{" + ",".join(f'"{i}":0' for i in range(1024)) + "}"] *
                               (LARGE // 9000)) + "]",
        "key": '{"' + "k" * LARGE + '":0}',
        "text": '{"output":"' + "t" * LARGE + '"}',
    }
    linear = '{{"type":"linear","name":"layer{}"}}'
    lists["many-layers"] = '{"layers":[' + ",".join(linear.format(i) for i in range(LARGE // 40)) + "]}"
    lists["long-names"] = '{"layers":[' + ",".join(linear.format("x" * 4000) for _ in range(240)) + "]}"
    for name, content in lists.items():
        for target in ("architecture", "config", "model"):
            write(target, name, content)


def large_safetensors():
    def file(names, metadata=""):
        entry = '":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}'
        return safetensors("{" + metadata + ",".join('"' + name + entry for name in names) + "}")

    few, many = range(LARGE // 100), range(LARGE // 64)
    write("safetensors", "names", file(f"a{i}" for i in many))
    write("safetensors", "long-names", file(f"{'a' * 900}{i}" for i in range(LARGE // 960)))
    write("safetensors", "recurrent", file(f"a{i}.weight_ih_l0" for i in few))
    write("safetensors", "linear", file(f"a{i}.weight" for i in few))
    one = tensors(**{f"a{i}__weight_ih_l0": [1, 1] for i in range(256)})[0]
    header = {**one, **{f"b{i}.weight": {"dtype": "F32", "shape": [0], "data_offsets": [1024, 1024]}
                        for i in few}}
    write("safetensors", "both", safetensors(header, bytes(1024)))
    layers = {}
    for layer in range(1024):
        for weight in ("ih", "hh"):
            layers[f"r__weight_{weight}_l{layer}"] = [1, 1]
    header, size = tensors(**layers)
    write("safetensors", "layers", safetensors(header, bytes(size)))
    texts = ",".join(f'"{i}":""' for i in range(4000))
    write("safetensors", "metadata", file([], '"__metadata__":{%s}' % texts))


def large_pt():
    def pickle(name, start, each, end):
        write("pt", name, b"\x80\2" + start + each * (LARGE // len(each)) + end + b".")

    pickle("list", b"](", b"K\1", b"e")
    pickle("nothing", b"](", b"N", b"e")
    pickle("one-by-one", b"]", b"K\1a", b"")
    pickle("marks", b"", b"(", b"")
    pickle("lists", b"](", b"]", b"e")
    pickle("memo", b"](", b"Nr\xff\xff\0\0", b"e")
    pickle("dictionary", b"}(", text("a") + b"N", b"u")
    pickle("itself", b"]q\1(", b"h\1", b"e")
    one = tensor("FloatStorage", "0", 1, 0, [1], [1]) + b"q\3"
    state = b"}q\2(" + b"".join(text(str(i)) + (b"h\3" if i else one) for i in range(LARGE // 20)) + b"u"
    write("pt", "one-tensor", b"\x80\2" + state + b".")
    write("pt", "one-dictionary", b"\x80\2}(" + text("a") + state +
          b"".join(text(f"k{i}") + b"h\2" for i in range(LARGE // 30)) + b"u.")
    write("pt", "tensors", b"\x80\2}(" + b"".join(
        text(str(i)) + tensor("FloatStorage", "0", 16, 0, [2, 2], [1, 2])
        for i in range(LARGE // 220)) + b"u.")
    empty = tensor("FloatStorage", "0", 0, 0, [0] * 64, [0] * 64) + b"q\3"
    write("pt", "dimensions", b"\x80\2}(" + b"".join(
        text(str(i)) + (b"h\3" if i else empty) for i in range(LARGE // 14)) + b"u.")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for i in range(LARGE // 120):
            archive.writestr(zipfile.ZipInfo(f"a/data/{i}"), b"")
    write("pt", "entries", packed.getvalue())


def crc32c(content):
    crc = 0xFFFFFFFF
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def tfrecord(content, damage=0):
    def masked(part):
        crc = crc32c(part)
        return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)

    length = struct.pack("<Q", len(content))
    return length + masked(length) + content + masked(content + bytes(damage))


def tfrecord_seeds():
    write("tfrecord", "empty", tfrecord(b""))
    write("tfrecord", "two", tfrecord(b"123456789") + tfrecord(b"abc"))
    write("tfrecord", "truncated", tfrecord(b"123456789")[:-1])
    write("tfrecord", "other-checksum", tfrecord(b"abc", 1))
    endless = struct.pack("<Q", 2**64 - 1)
    write("tfrecord", "endless", endless + tfrecord(endless)[-4:] + bytes(8))


def ts_seeds():
    fields = "@problemName Two\n@timeStamps false\n@univariate false\n@dimensions 2\n@equalLength false\n"
    write("ts", "classes", "# made up\n" + fields +
          "@classLabel true yes no\n@data\n1,2:3,4:no\n-1e3:.5:yes\n")
    write("ts", "targets", "@targetlabel true\r\n@missing true\r\n@data\r\n1, ?,3:0.5\r\nNaN:?\r\n")
    write("ts", "no-labels", "\ufeff@classLabel false\n@equalLength true\n@seriesLength 2\n@data\n1,2:3,4\n")
    write("ts", "gzip", compress(b"@classLabel true a\n@data\n1:a\n"))
    write("ts", "unequal", "@data\n1,2:3\n")
    write("ts", "timestamps", "@data\n(0,1),(1,2)\n")
    write("ts", "truncated", "@classLabel true a\n@dat")
    write("ts", "other-class", "@classLabel true a\n@data\n1:b\n")
    write("ts", "no-number", "@data\n1,1e39\n")


def table_seeds():
    """The last four bytes choose options: in a table they belong to its last field."""
    write("table", "numbers", "a,b,c\n1,-2.5,1e-3\n+4,.5,6.\nNA,,7\n")
    write("table", "texts", "a\tb\nx\t1\nNaN\t2\ny\t-\n")
    write("table", "quotes", '\ufeff"a,1","b ""2"""\r\n"two\r\nlines",\xe9\r\n"","x"')
    write("table", "decimals", "a;b\n1,5;2\n-2,5e1;3\n")
    write("table", "no-header", "1|2\n3|TRUE\n")
    write("table", "late-text", "a,b\n" + "1,2\n" * 1100 + "x,2\n")
    write("table", "sentences", "a\tb\nthe\tx\n?\ty\n\nend\tx\n\n")
    write("table", "ragged", "a,1,2,3\nx,1,2,3\ny,4\n")
    write("table", "fields", "a,b\n1,2\n3\n4,5,6\n")
    write("table", "open-quote", 'a,b\n1,"2\n3,4\n')
    write("table", "after-quote", 'a,b\n1,"2" x\n')
    write("table", "range", "a,b\n1,2\n1e400,3\n")
    write("table", "two-separators", "1,5;2,5\n1,5;2,5\n")
    write("table", "same-names", "a,b,a\n1,2,3\n")
    write("table", "utf-16", "a,b\n1,2\n".encode("utf-16"))
    write("table", "latin-1", "a,b\nM\xfcller,2\n".encode("latin-1"))
    write("table", "old-mac", "a,b\r1,2\r")
    write("table", "gzip", compress(b"a,b\n1,2\n3,x\n"))
    write("table", "two-members", compress(b"a,b\n1,2\n") + compress(b"3,4\n"))


def large_tables():
    write("table", "rows", "a,b\n" + "1,2\n" * (LARGE // 4))
    write("table", "columns", "1," * 65535 + "1\n" + "2," * 65535 + "2\n")
    write("table", "names", ",".join(map(str, range(65000))) + ",x\n" + "1," * 65000 + "1\n")
    write("table", "texts", "a,b\n" + "".join(f"x{i},2\n" for i in range(LARGE // 9)))
    write("table", "late-texts", "a,b,c\n" + "1,2,3\n" * (LARGE // 6 - 1) + "x,y,z\n")
    write("table", "quotes", "a,b\n" + '"x""y","z"\n' * (LARGE // 11))
    write("table", "long-quote", 'a,b\n1,"' + '""' * (LARGE // 2 - 6) + '"\n')
    write("table", "open-quote", 'a,b\n1,"' + "1,2\n" * (LARGE // 4 - 3))
    write("table", "empty-lines", "a,b\n1,2\n" + "\n" * (LARGE - 16) + "\2,2\n")
    write("table", "short-rows", "1,2,3,4,5,6,7,8,9\n" + "1,2\n" * (LARGE // 4 - 16) + "1,\x0a\1\0\n")
    write("table", "wrong-rows", "a,b\n" + "1,2\n" * 80 + "1\n" * (LARGE // 2 - 200))


def large_npz():
    count = LARGE // 4
    y = npy(npy_header("|u1", f"({count},)"), bytes(count))
    write("npz", "series", npz(X=npy(npy_header("|u1", f"({count}, 2)"), bytes(2 * count)), y=y))
    texts = b"".join(struct.pack("<I", 0x100 + i)[:3] for i in range(count))
    write("npz", "texts", npz(X=npy(npy_header("|u1", f"({count}, 1)"), bytes(count)),
                              y=npy(npy_header("|S3", f"({count},)"), texts)))
    write("npz", "features", npz(X=npy(npy_header("|u1", f"(1, 1, {3 * count})"), bytes(3 * count)),
                                 y=npy(npy_header("|u1", "(1,)"), bytes(1))))
    write("npz", "zeros", npz(zipfile.ZIP_DEFLATED, y=npy(npy_header("|u1", "(9,)"), bytes(9)),
                              X=npy(npy_header("|u1", f"(9, {LARGE})"), bytes(9 * LARGE))))
    write("npz", "entries", npz(**{f"a{i}": b"" for i in range(LARGE // 120)}))


def large_ts():
    head = "@classLabel true a\n@data\n"
    write("ts", "series", head + "1:a\n" * (LARGE // 4))
    write("ts", "steps", head + "1," * (LARGE // 2) + "1:a\n")
    write("ts", "dimensions", "@data\n" + "1:" * 65535 + "1\n")
    write("ts", "steps-and-dimensions", "@data\n" + "1," * (LARGE // 4) + "1" + ":" * (LARGE // 4) + "\n")
    write("ts", "classes", "@classLabel true " + " ".join(map(str, range(LARGE // 7))) + "\n@data\n1:1\n")
    write("ts", "comments", "#\n" * (LARGE // 2))


def large_runs():
    step = json.dumps({"event": "step", "step": 1, "loss": 2.5, "grad_norm": 3, "lr": 0.1}) + "\n"
    write("metrics", "steps", step * (LARGE // len(step)))
    layer = {"name": "rnn", "weights": [0, 0.1, 0.5], "gradient": [0.5] * 64}
    inside = {"rows": 8, "times": list(range(64)), "layers": [layer] * 2000}
    write("metrics", "layers", json.dumps({"event": "eval", "step": 1, "loss": 2, "inside": inside}) + "\n")
    count = LARGE // 40
    write("samples", "many", samples_file(indices=[count], worst=[1], losses=[count], targets=[count],
                                          outputs=[count, 1], inputs=[count, 2, 2]))
    write("samples", "large", samples_file(indices=[1], worst=[1], losses=[1], targets=[1], outputs=[1, 2],
                                           inputs=[1, 900, 1000]))


def large_data():
    write("tfrecord", "empty", tfrecord(b"") * (LARGE // 16))
    write("tfrecord", "long", tfrecord(bytes(LARGE // 2)))
    write("gzip", "zeros", bytes(LARGE))
    write("gzip", "member", compress(random.Random(1).randbytes(LARGE)))
    write("idx", "images", idx((1000, 31, 32), bytes(992000)))
    write("idx", "labels", idx((LARGE,), bytes(LARGE)))
    write("idx", "images-gzip", compress(idx((1000, 31, 32), bytes(992000))))
    ones = ", 1" * 61
    write("npy", "dimensions", npy(npy_header("<f4", f"(2, 62500, 2{ones})", True), bytes(LARGE)))
    write("npy", "sizes", npy(npy_header("<f4", "(" + "1, " * 20000 + "1)"), bytes(4)))
    write("npy", "floats", npy(npy_header("<f4", "(250000,)"), bytes(LARGE)))


if len(sys.argv) > 1:
    CORPUS = pathlib.Path(sys.argv[1])
    for seeds in (large_json, large_safetensors, large_pt, large_runs, large_data, large_npz,
                  large_ts, large_tables):
        seeds()
else:
    for seeds in (architecture_seeds, pt_seeds, idx_seeds, gzip_seeds, npy_seeds, npz_seeds,
                  safetensors_seeds, model_seeds, config_seeds, tfrecord_seeds, metrics_seeds,
                  samples_seeds, table_seeds, ts_seeds):
        seeds()
