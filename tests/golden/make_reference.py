#!/usr/bin/env python3
"""Writes the reference cases: what PyTorch computes, for the golden tests to compare with.

    python3 make_reference.py OUT [--set layers|regularised|losses|optim|rng|tutorial|all] [--seed 0]

Needs torch, numpy and safetensors; the committed files were made with torch 2.13.0 on one thread.
reference/README.md describes the format of every case, and how to add one.
"""
import argparse, json, math, os
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from safetensors.torch import save_file

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)


def write(path, tensors, **meta):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    save_file({k: v.detach().contiguous().clone() for k, v in tensors.items()}, path,
              metadata={"case": json.dumps(meta, sort_keys=True)})


# ---------------------------------------------------------------- layers

def layer_cases(seed):
    d = seed  # other seeds also have other sizes
    for kind in ("rnn_relu", "rnn_tanh", "lstm", "gru"):
        for size in ((5, 3, 4, 6), (28, 4, 28, 100), (7, 5, 13, 17), (3, 1, 1, 1), (2, 19, 33, 65)):
            yield dict(kind=kind, T=size[0] + d, N=size[1] + 2 * d, I=size[2] + 3 * d, H=size[3] + 5 * d)
        yield dict(kind=kind, T=6, N=4, I=5, H=9, layers=2)
        yield dict(kind=kind, T=6, N=4, I=5, H=9, layers=3, batch_first=True)
        yield dict(kind=kind, T=6, N=4, I=5, H=9, bidirectional=True)
        yield dict(kind=kind, T=6, N=4, I=5, H=9, layers=2, bidirectional=True, batch_first=True)
        yield dict(kind=kind, T=6, N=4, I=5, H=9, bias=False)
        yield dict(kind=kind, T=8, N=5, I=5, H=9, lengths=[8, 6, 6, 3, 1])
        yield dict(kind=kind, T=8, N=5, I=5, H=9, layers=2, bidirectional=True, lengths=[2, 8, 1, 5, 7])
        yield dict(kind=kind, T=8, N=5, I=5, H=9, layers=2, bidirectional=True, lengths=[8, 8, 3, 2, 2],
                   no_state=True)
    yield dict(kind="lstm", T=6, N=4, I=5, H=9, proj_size=4)
    yield dict(kind="lstm", T=6, N=4, I=5, H=9, proj_size=4, layers=2, bidirectional=True)


def make_layer(c, dtype):
    k = dict(num_layers=c.get("layers", 1), bidirectional=c.get("bidirectional", False),
             batch_first=c.get("batch_first", False), bias=c.get("bias", True))
    if c["kind"].startswith("rnn_"):
        return nn.RNN(c["I"], c["H"], nonlinearity=c["kind"][4:], **k).to(dtype)
    if c["kind"] == "lstm":
        return nn.LSTM(c["I"], c["H"], proj_size=c.get("proj_size", 0), **k).to(dtype)
    return nn.GRU(c["I"], c["H"], **k).to(dtype)


def layers(out, seed):
    for n, c in enumerate(layer_cases(seed)):
        for dtype, tag in ((torch.float32, "f32"), (torch.float64, "f64")):
            torch.manual_seed(1000 * seed + n)
            m = make_layer(c, torch.float64).to(dtype)
            g = torch.Generator().manual_seed(7000 * (seed + 1) + n)
            r = lambda *s: torch.randn(*s, generator=g, dtype=torch.float64).to(dtype)
            T, N, I, H = c["T"], c["N"], c["I"], c["H"]
            P = c.get("proj_size", 0) or H
            rows = c.get("layers", 1) * (2 if c.get("bidirectional") else 1)
            x = r(*((N, T, I) if c.get("batch_first") else (T, N, I))).requires_grad_()
            h0, c0 = r(rows, N, P).requires_grad_(), r(rows, N, H).requires_grad_()
            state = None if c.get("no_state") else ((h0, c0) if c["kind"] == "lstm" else h0)
            lengths = c.get("lengths")
            inp = x
            if lengths:
                inp = nn.utils.rnn.pack_padded_sequence(x, torch.tensor(lengths), enforce_sorted=False,
                                                        batch_first=c.get("batch_first", False))
            y, s = m(inp, state)
            if lengths:
                y, _ = nn.utils.rnn.pad_packed_sequence(y, batch_first=c.get("batch_first", False), total_length=T)
            hn, cn = s if c["kind"] == "lstm" else (s, None)
            t = {"input": x, "output": y, "h_n": hn}
            gy, gh = r(*y.shape), r(*hn.shape)
            if lengths:  # the cotangent of padding is zero
                mask = (torch.arange(T)[:, None] < torch.tensor(lengths)[None, :]).to(dtype)[:, :, None]
                gy = gy * (mask.transpose(0, 1) if c.get("batch_first") else mask)
            loss = (y * gy).sum() + (hn * gh).sum()
            t.update({"grad_output": gy, "grad_h_n": gh})
            if cn is not None:
                gc = r(*cn.shape); loss = loss + (cn * gc).sum(); t.update({"c_n": cn, "grad_c_n": gc})
            loss.backward()
            t["grad_input"] = x.grad
            if state is not None:
                t.update({"h_0": h0, "grad_h_0": h0.grad})
                if c["kind"] == "lstm": t.update({"c_0": c0, "grad_c_0": c0.grad})
            for k, p in m.named_parameters():
                t["param." + k] = p; t["grad." + k] = p.grad
            write(f"{out}/layers/{n:03d}_{c['kind']}_{tag}.safetensors", t, set="layers", dtype=tag, **c)


# ---------------------------------------------------------------- regularised cells: plain loops over time, masks in the file

def regularised_cases():
    for kind in ("rnn_tanh", "lstm", "gru"):
        yield dict(kind=kind, regulariser="layer_norm")
        yield dict(kind=kind, regulariser="zoneout", p_h=.3, p_c=.2, training=True)
        yield dict(kind=kind, regulariser="zoneout", p_h=.3, p_c=.2, training=False)
        yield dict(kind=kind, regulariser="variational_dropout", p_x=.25, p_h=.4)
        yield dict(kind=kind, regulariser="weight_drop", p=.5)
        if kind != "rnn_tanh": yield dict(kind=kind, regulariser="recurrent_dropout", p=.3)


def regularised(out, seed):
    for n, c in enumerate(regularised_cases()):
        d = seed
        T, N, I, H = 7 + d, 4 + d, 5 + 2 * d, 9 + 3 * d
        kind, reg = c["kind"], c["regulariser"]
        G = {"rnn_tanh": 1, "lstm": 4, "gru": 3}[kind]
        for dtype, tag in ((torch.float32, "f32"), (torch.float64, "f64")):
            g = torch.Generator().manual_seed(50 + 100 * seed + n)
            r = lambda *s: torch.randn(*s, generator=g, dtype=torch.float64).to(dtype).requires_grad_()
            keep = lambda p, *s: (torch.rand(*s, generator=g, dtype=torch.float64) >= p).to(dtype)
            P = {"weight_ih_l0": r(G * H, I), "weight_hh_l0": r(G * H, H), "bias_ih_l0": r(G * H), "bias_hh_l0": r(G * H)}
            for k in P: P[k].data *= H ** -.5
            x, h0, c0 = r(T, N, I), r(N, H), r(N, H)
            masks = {}
            if reg == "layer_norm":
                for k, s in (("ih", G * H), ("hh", G * H)) + ((("c", H),) if kind == "lstm" else ()):
                    P[f"layer_norm_{k}_l0.weight"], P[f"layer_norm_{k}_l0.bias"] = r(s), r(s)
            if reg == "zoneout":
                masks["zone_h"] = 1 - keep(c["p_h"], T, N, H)                      # 1: keeps the old state
                if kind == "lstm": masks["zone_c"] = 1 - keep(c["p_c"], T, N, H)
            if reg == "variational_dropout": masks["keep_x"], masks["keep_h"] = keep(c["p_x"], N, I), keep(c["p_h"], N, H)
            if reg == "weight_drop": masks["keep_weight_hh"] = keep(c["p"], G * H, H)
            if reg == "recurrent_dropout": masks["keep_candidate"] = keep(c["p"], T, N, H)
            h, cc, ys = h0, c0, []
            whh = P["weight_hh_l0"] * masks["keep_weight_hh"] / (1 - c["p"]) if reg == "weight_drop" else P["weight_hh_l0"]
            for t in range(T):
                xi, hi = x[t], h
                if reg == "variational_dropout": xi, hi = xi * masks["keep_x"] / (1 - c["p_x"]), hi * masks["keep_h"] / (1 - c["p_h"])
                gx, gh = xi @ P["weight_ih_l0"].T, hi @ whh.T
                if reg == "layer_norm":
                    gx = F.layer_norm(gx, (G * H,), P["layer_norm_ih_l0.weight"], P["layer_norm_ih_l0.bias"])
                    gh = F.layer_norm(gh, (G * H,), P["layer_norm_hh_l0.weight"], P["layer_norm_hh_l0.bias"])
                gx, gh = gx + P["bias_ih_l0"], gh + P["bias_hh_l0"]
                drop = lambda v: v * masks["keep_candidate"][t] / (1 - c["p"]) if reg == "recurrent_dropout" else v
                if kind == "rnn_tanh": hn = torch.tanh(gx + gh)
                elif kind == "gru":
                    xr, xz, xn = gx.chunk(3, 1); hr, hz, hhn = gh.chunk(3, 1)
                    rr, z = torch.sigmoid(xr + hr), torch.sigmoid(xz + hz); nn_ = drop(torch.tanh(xn + rr * hhn)); hn = (1 - z) * nn_ + z * h
                else:
                    i, f, u, o = (gx + gh).chunk(4, 1)
                    cn = torch.sigmoid(f) * cc + torch.sigmoid(i) * drop(torch.tanh(u))
                    cl = F.layer_norm(cn, (H,), P["layer_norm_c_l0.weight"], P["layer_norm_c_l0.bias"]) if reg == "layer_norm" else cn
                    hn = torch.sigmoid(o) * torch.tanh(cl)
                    if reg == "zoneout": cn = (masks["zone_c"][t] * cc + (1 - masks["zone_c"][t]) * cn) if c["training"] else c["p_c"] * cc + (1 - c["p_c"]) * cn
                    cc = cn
                if reg == "zoneout": hn = (masks["zone_h"][t] * h + (1 - masks["zone_h"][t]) * hn) if c["training"] else c["p_h"] * h + (1 - c["p_h"]) * hn
                h = hn; ys.append(h)
            y = torch.stack(ys); gy, gh_, gc_ = r(T, N, H).detach(), r(N, H).detach(), r(N, H).detach()
            loss = (y * gy).sum() + (h * gh_).sum() + ((cc * gc_).sum() if kind == "lstm" else 0)
            loss.backward()
            t_ = {"input": x, "h_0": h0, "output": y, "h_n": h, "grad_output": gy, "grad_h_n": gh_, "grad_input": x.grad, "grad_h_0": h0.grad}
            if kind == "lstm": t_.update({"c_0": c0, "c_n": cc, "grad_c_n": gc_, "grad_c_0": c0.grad})
            for k, v in P.items(): t_["param." + k] = v; t_["grad." + k] = v.grad
            if not (reg == "zoneout" and not c["training"]): t_.update({"mask." + k: v for k, v in masks.items()})
            write(f"{out}/regularised/{n:02d}_{kind}_{reg}_{tag}.safetensors", t_, set="regularised", dtype=tag, T=T, N=N, I=I, H=H, **c)


# ---------------------------------------------------------------- losses and plain layers

def losses(out, seed):
    def case(name, meta, inputs, f):
        for dtype, tag in ((torch.float32, "f32"), (torch.float64, "f64")):
            ins = {k: (v.to(dtype).detach().requires_grad_() if v.is_floating_point() else v) for k, v in inputs.items()}
            y = f(**ins)
            g = torch.randn(y.shape, generator=torch.Generator().manual_seed(seed + 5), dtype=torch.float64).to(dtype)
            (y * g).sum().backward()
            t = {k: v for k, v in ins.items()}
            t.update({"output": y, "grad_output": g})
            t.update({"grad." + k: v.grad for k, v in ins.items() if v.is_floating_point() and v.grad is not None})
            write(f"{out}/losses/{name}_{tag}.safetensors", t, set="losses", name=name, dtype=tag, **meta)
    g = torch.Generator().manual_seed(31 + seed)
    r = lambda *s: torch.randn(*s, generator=g, dtype=torch.float64)
    ri = lambda hi, *s: torch.randint(0, hi, s, generator=g)
    logits, target = r(7, 10) * 3, ri(10, 7)
    for red in ("mean", "sum", "none"):
        case(f"cross_entropy_{red}", dict(op="cross_entropy", reduction=red), dict(logits=logits, target=target),
             lambda logits, target: F.cross_entropy(logits, target, reduction=red))
    case("cross_entropy_smooth", dict(op="cross_entropy", label_smoothing=0.1), dict(logits=logits, target=target),
         lambda logits, target: F.cross_entropy(logits, target, label_smoothing=0.1))
    ig = target.clone(); ig[2] = -100; ig[5] = -100
    case("cross_entropy_ignore", dict(op="cross_entropy", ignore_index=-100), dict(logits=logits, target=ig),
         lambda logits, target: F.cross_entropy(logits, target))
    case("cross_entropy_weight", dict(op="cross_entropy", weight=True), dict(logits=logits, target=target, weight=torch.linspace(.2, 2, 10).double()),
         lambda logits, target, weight: F.cross_entropy(logits, target, weight=weight.detach()))
    case("cross_entropy_large", dict(op="cross_entropy", note="logits of 1e4: no overflow"), dict(logits=logits * 1e4, target=target),
         lambda logits, target: F.cross_entropy(logits, target))
    case("mse_mean", dict(op="mse"), dict(prediction=r(6, 3), target_values=r(6, 3)),
         lambda prediction, target_values: F.mse_loss(prediction, target_values.detach()))
    case("bce_with_logits", dict(op="bce_with_logits"), dict(logits=r(8) * 4, target_values=ri(2, 8).double()),
         lambda logits, target_values: F.binary_cross_entropy_with_logits(logits, target_values.detach()))
    case("l1_mean", dict(op="l1"), dict(prediction=r(6, 3), target_values=r(6, 3)),
         lambda prediction, target_values: F.l1_loss(prediction, target_values.detach()))
    case("cross_entropy_weight_smooth", dict(op="cross_entropy", weight=True, label_smoothing=0.1),
         dict(logits=logits, target=target, weight=torch.linspace(.2, 2, 10).double()),
         lambda logits, target, weight: F.cross_entropy(logits, target, weight=weight.detach(), label_smoothing=0.1))
    case("embedding", dict(op="embedding"), dict(indices=ri(6, 4, 3), weight=r(6, 5)), lambda indices, weight: F.embedding(indices, weight))
    case("linear", dict(op="linear"), dict(input=r(5, 13), weight=r(17, 13), bias=r(17)),
         lambda input, weight, bias: F.linear(input, weight, bias))
    case("conv2d", dict(op="conv2d", stride=1, padding=2), dict(input=r(3, 2, 9, 8), weight=r(5, 2, 5, 5), bias=r(5)),
         lambda input, weight, bias: F.conv2d(input, weight, bias, stride=1, padding=2))
    case("max_pool2d", dict(op="max_pool2d", kernel_size=2), dict(input=r(3, 2, 8, 8)),
         lambda input: F.max_pool2d(input, 2))
    case("log_softmax", dict(op="log_softmax", dim=-1), dict(logits=logits),
         lambda logits: F.log_softmax(logits, -1))
    case("layer_norm", dict(op="layer_norm", eps=1e-5), dict(input=r(6, 11), weight=r(11), bias=r(11)),
         lambda input, weight, bias: F.layer_norm(input, (11,), weight, bias))
    # Input and output are (N, T, C), as in Unroll; PyTorch's are (N, C, T).
    for suffix, (stride, padding, dilation, groups) in {"": (1, 2, 1, 1), "_strided": (3, 1, 2, 2)}.items():
        case("conv1d" + suffix, dict(op="conv1d", stride=stride, padding=padding, dilation=dilation, groups=groups),
             dict(input=r(3, 14, 4), weight=r(6, 4 // groups, 5), bias=r(6)),
             lambda input, weight, bias: F.conv1d(input.transpose(1, 2), weight, bias, stride, padding, dilation,
                                                  groups).transpose(1, 2))


# ---------------------------------------------------------------- optimizers and schedules

def optim(out, seed):
    g = torch.Generator().manual_seed(91 + seed)
    w0 = torch.randn(4, 5, generator=g, dtype=torch.float64); b0 = torch.randn(5, generator=g, dtype=torch.float64)
    grads = [(torch.randn(4, 5, generator=g, dtype=torch.float64), torch.randn(5, generator=g, dtype=torch.float64)) for _ in range(12)]
    O = torch.optim
    cases = {
        "sgd": (O.SGD, dict(lr=.1)), "sgd_momentum": (O.SGD, dict(lr=.1, momentum=.9)),
        "sgd_nesterov_decay": (O.SGD, dict(lr=.1, momentum=.9, nesterov=True, weight_decay=.01)),
        "sgd_dampening": (O.SGD, dict(lr=.1, momentum=.9, dampening=.5)),
        "adam": (O.Adam, dict(lr=.01)), "adam_decay": (O.Adam, dict(lr=.01, betas=(.8, .95), eps=1e-6, weight_decay=.1)),
        "amsgrad": (O.Adam, dict(lr=.01, amsgrad=True)), "adamw": (O.AdamW, dict(lr=.01, weight_decay=.05)),
        "rmsprop": (O.RMSprop, dict(lr=.01)), "rmsprop_centered": (O.RMSprop, dict(lr=.01, momentum=.9, centered=True)),
        "adagrad": (O.Adagrad, dict(lr=.1)),
    }
    for dtype, tag in ((torch.float32, "f32"), (torch.float64, "f64")):   # Muon as optim/muon.h defines it
        gm = torch.Generator().manual_seed(17 + seed); R = lambda *s: torch.randn(*s, generator=gm, dtype=torch.float64).to(dtype)
        for name, (rows, cols, blocks) in {"square": (6, 6, 1), "tall": (9, 4, 1), "wide": (4, 9, 1), "gates": (6, 5, 3)}.items():
            w, m, t = R(rows * blocks, cols), torch.zeros(rows * blocks, cols, dtype=dtype), {}
            t["initial.w"] = w.clone()
            for i in range(12):
                gw = R(rows * blocks, cols); t[f"grad.{i}.w"] = gw; m = .9 * m + .1 * gw; u = .9 * m + .1 * gw
                for b in range(blocks):
                    Z = u[b * rows:(b + 1) * rows]; Z = Z.T if rows > cols else Z; Z = Z / Z.norm()
                    for _ in range(5):
                        Sm = Z @ Z.T; Z = 3.4445 * Z - 4.775 * (Sm @ Z) + 2.0315 * (Sm @ (Sm @ Z))
                    w[b * rows:(b + 1) * rows] -= .02 * max(1, rows / cols) ** .5 * (Z.T if rows > cols else Z)
                t[f"after.{i}.w"] = w.clone()
            write(f"{out}/optim/muon_{name}_{tag}.safetensors", t, set="optim", name=f"muon_{name}", dtype=tag, steps=12, optimizer="muon",
                  options=dict(lr=.02, momentum=.9, nesterov=True, ns_steps=5), blocks=blocks)
    S = O.lr_scheduler
    scheds = {
        "step": (lambda o: S.StepLR(o, 3, .5), dict(step_size=3, gamma=.5)),
        "cosine": (lambda o: S.CosineAnnealingLR(o, 12, .001), dict(T_max=12, eta_min=.001)),
        "exponential": (lambda o: S.ExponentialLR(o, .9), dict(gamma=.9)),
        "one_cycle": (lambda o: S.OneCycleLR(o, max_lr=.3, total_steps=13, cycle_momentum=False),
                      dict(max_lr=.3, total_steps=13, pct_start=.3, div_factor=25, final_div_factor=1e4)),
        "linear_warmup": (lambda o: S.LinearLR(o, .1, 1., 5), dict(start_factor=.1, end_factor=1., total_iters=5)),
    }
    for name, (cls, kw) in cases.items():
        for dtype, tag in ((torch.float32, "f32"), (torch.float64, "f64")):
            w, b = nn.Parameter(w0.to(dtype)), nn.Parameter(b0.to(dtype)); o = cls([w, b], foreach=False, **kw)
            t = {"initial.w": w0.to(dtype), "initial.b": b0.to(dtype)}
            for i, (gw, gb) in enumerate(grads):
                w.grad, b.grad = gw.to(dtype), gb.to(dtype)
                t[f"grad.{i}.w"], t[f"grad.{i}.b"] = w.grad, b.grad
                o.step(); t[f"after.{i}.w"], t[f"after.{i}.b"] = w.detach().clone(), b.detach().clone()
            write(f"{out}/optim/{name}_{tag}.safetensors", t, set="optim", name=name, dtype=tag, steps=12,
                  optimizer=cls.__name__.lower(), options=kw)
    for name, (mk, kw) in scheds.items():
        w = nn.Parameter(w0.clone()); o = O.SGD([w], lr=.1); s = mk(o); lrs = [o.param_groups[0]["lr"]]
        for _ in range(12):
            w.grad = torch.zeros_like(w); o.step(); s.step(); lrs.append(o.param_groups[0]["lr"])
        write(f"{out}/optim/schedule_{name}.safetensors", {"lr": torch.tensor(lrs, dtype=torch.float64)}, set="schedule",
              name=name, base_lr=.1, options=kw)
    w = nn.Parameter(w0.clone()); b = nn.Parameter(b0.clone()); t = {}
    w.grad, b.grad = grads[0][0].clone(), grads[0][1].clone()
    t["grad.w"], t["grad.b"] = w.grad.clone(), b.grad.clone()
    n = nn.utils.clip_grad_norm_([w, b], 1.0); t["norm"] = n.reshape(1); t["clipped.w"], t["clipped.b"] = w.grad, b.grad
    write(f"{out}/optim/clip_grad_norm.safetensors", t, set="clip", max_norm=1.0)


# ---------------------------------------------------------------- random numbers

def rng(out, seed):
    for s in (0, 1, 42 + seed, 2**31 + 11, 2**40 + 3):
        t = {}
        torch.manual_seed(s); t["rand_f32"] = torch.rand(40)
        torch.manual_seed(s); t["rand_f64"] = torch.rand(40, dtype=torch.float64)
        torch.manual_seed(s); t["uniform_f32"] = torch.empty(64).uniform_(-.1, .1)
        torch.manual_seed(s); t["random_i64"] = torch.stack([torch.empty((), dtype=torch.int64).random_() for _ in range(8)])
        torch.manual_seed(s); t["randperm_10"] = torch.randperm(10)
        torch.manual_seed(s); t["randperm_60000"] = torch.randperm(60000)
        torch.manual_seed(s); t["randn_f32_15"] = torch.randn(15)          # fewer than 16: one by one
        torch.manual_seed(s); t["randn_f32_16"] = torch.randn(16)          # 16 and more: filled in blocks
        torch.manual_seed(s); t["randn_f32_37"] = torch.randn(37)
        for tag, mk in (("rnn_28_100", lambda: nn.RNN(28, 100, nonlinearity="relu")), ("linear_100_10", lambda: nn.Linear(100, 10)),
                        ("lstm_5_9_x2_bi", lambda: nn.LSTM(5, 9, 2, bidirectional=True)), ("gru_5_9", lambda: nn.GRU(5, 9))):
            torch.manual_seed(s)
            for k, p in mk().named_parameters(): t[f"init.{tag}.{k}"] = p
        torch.manual_seed(s)
        m = [nn.RNN(28, 100, nonlinearity="relu"), nn.Linear(100, 10)]   # the tutorial's order: model, then loader
        loader = torch.utils.data.DataLoader(torch.arange(60000), batch_size=100, shuffle=True)
        for e in range(3): t[f"tutorial_order.epoch{e}"] = torch.cat(list(loader)).to(torch.int32)
        write(f"{out}/rng/seed_{s}.safetensors", t, set="rng", seed=s)


# ---------------------------------------------------------------- the tutorial's own run

class Model(nn.Module):
    def __init__(self, layers=1, nonlinearity="relu"):
        super().__init__()
        self.rnn = nn.RNN(28, 100, layers, batch_first=True, nonlinearity=nonlinearity); self.fc = nn.Linear(100, 10)
    def forward(self, x): return self.fc(self.rnn(x)[0][:, -1, :])


def tutorial(out, seed, mnist):
    import gzip
    rd = lambda f, o: np.frombuffer(gzip.open(os.path.join(mnist, f)).read(), np.uint8, offset=o)
    X = torch.tensor(rd("train-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)); Y = torch.tensor(rd("train-labels-idx1-ubyte.gz", 8).astype(np.int64))
    XT = torch.tensor(rd("t10k-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)); YT = torch.tensor(rd("t10k-labels-idx1-ubyte.gz", 8).astype(np.int64))
    models = {"a": (1, "relu"), "b": (2, "relu"), "c": (2, "tanh")}
    for name, clip, dtype, steps in (("a", 0, torch.float32, 3000), ("a", 0, torch.float64, 3000), ("a", 1., torch.float32, 3000), ("a", 1., torch.float64, 3000),
                                     ("b", 1., torch.float32, 600), ("b", 1., torch.float64, 600), ("c", 0, torch.float32, 3000), ("c", 0, torch.float64, 600)):
        tag = f"model_{name}{'_clip1' if clip else ''}_{'f32' if dtype == torch.float32 else 'f64'}"
        torch.manual_seed(seed); m = Model(*models[name]).to(dtype)
        scale = lambda x: (x.to(torch.float32) / 255).to(dtype)     # ToTensor divides in float32
        t = {"initial." + k: v.clone() for k, v in m.state_dict().items()}
        opt = torch.optim.SGD(m.parameters(), lr=.1); ce = nn.CrossEntropyLoss()
        loader = torch.utils.data.DataLoader(torch.arange(60000), batch_size=100, shuffle=True)
        test_loader = torch.utils.data.DataLoader(torch.arange(10000), batch_size=100, shuffle=False)
        order = []
        loss_of, norm_of, acc, it, stop = [], [], {}, 0, None
        while it < steps and stop is None:
            order.append(torch.full((60000,), -1, dtype=torch.int32))
            for j, ix in enumerate(loader):
                order[-1][100 * j:100 * j + 100] = ix.to(torch.int32)
                opt.zero_grad(); l = ce(m(scale(X[ix])), Y[ix])
                if not torch.isfinite(l): stop = it; break
                l.backward()
                n = (nn.utils.clip_grad_norm_(m.parameters(), clip) if clip else
                     torch.stack([p.grad.norm() for p in m.parameters()]).norm())
                loss_of.append(l.item()); norm_of.append(n.item()); opt.step(); it += 1
                if it in (1, 10, 100, 300): t.update({f"after_{it}." + k: v.clone() for k, v in m.state_dict().items()})
                if it % 500 == 0 or it == steps:
                    with torch.no_grad():   # through a loader, as the tutorial does: each pass draws one number
                        acc[it] = sum(int((m(scale(XT[k])).argmax(1) == YT[k]).sum()) for k in test_loader)
                if it == steps: break
        t.update({"final." + k: v.clone() for k, v in m.state_dict().items()})
        t.update({f"order.epoch{e}": o for e, o in enumerate(order)})   # -1: not reached
        t["loss"], t["grad_norm"] = torch.tensor(loss_of, dtype=torch.float64), torch.tensor(norm_of, dtype=torch.float64)
        with torch.no_grad():
            z = m(scale(XT)); t["test_logits_first_100"] = z[:100]; t["test_prediction"] = z.argmax(1).to(torch.uint8)
        meta = dict(set="tutorial", model=name, seed=seed, clip_norm=clip, steps=it, first_non_finite_loss_at_step=stop, correct_of_10000=acc)
        print(tag, meta, flush=True)
        write(f"{out}/tutorial/{tag}_seed{seed}.safetensors", t, **meta)
        if dtype == torch.float32 and (clip or name == "c"):
            save_file({k: v.clone() for k, v in m.state_dict().items()}, f"{out}/tutorial/weights_model_{name}_seed{seed}.safetensors")


SETS = {f.__name__: f for f in (layers, regularised, losses, optim, rng)}

if __name__ == "__main__":
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("out", help="the folder to write to")
    ap.add_argument("--set", default="all", choices=("all", *SETS, "tutorial"))
    ap.add_argument("--seed", type=int, default=0, help="another seed gives other numbers and sizes")
    ap.add_argument("--mnist", help="the folder with MNIST's four .gz files, for the tutorial's runs (minutes)")
    a = ap.parse_args()
    for name, f in SETS.items():
        if a.set in ("all", name): f(a.out, a.seed)
    if a.set == "tutorial" and not a.mnist: ap.error("--set tutorial needs --mnist")
    if a.mnist and a.set in ("all", "tutorial"): tutorial(a.out, a.seed, a.mnist)
