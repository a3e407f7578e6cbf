"""Pictures of what a network does with the first test image, a seven: rows, states, gates and guesses."""

from drawing import Picture, number
from runs import digit, trace, weights

CELL = 5  # a pixel of the image


def draw_pixels(picture, x, y, rows, cell=CELL, gap=0.0):
    """The image, row by row, with a gap between rows."""
    for r, row in enumerate(rows):
        top = y + r * (cell + gap)
        if gap:
            picture.heat(x, top, [row], cell, cell, 255, ("ink", "ink"), frame=False)
            picture.line([(x, top + cell + gap / 2), (x + 28 * cell, top + cell + gap / 2)], "grid", 0.7)
    if not gap:
        picture.heat(x, y, rows, cell, cell, 255, ("ink", "ink"))


def digit_rows(path):
    rows, label = digit(0)
    p = Picture(
        560,
        440,
        f"A handwritten {label}, whole and as 28 rows",
        f"Left: an image of 28 by 28 pixels, a {label}. Right: its rows one below the other, numbered as time steps 1 to 28.",
    )
    draw_pixels(p, 30, 150, rows)
    p.text(100, 130, "one image, 28 × 28", "name")
    p.arrow([(190, 220), (250, 220)])
    height = 13
    for r, row in enumerate(rows):
        y = 52 + r * height
        p.heat(330, y, [row], 7, height - 4, 255, ("ink", "ink"))
        p.text(318, y + (height - 4) / 2, str(r + 1), "label", "end")
    p.text(428, 30, "28 time steps of 28 pixels", "name")
    p.write(path)


def guess(path, run):
    rows, label = digit(0)
    probabilities = trace(run, rows)["probabilities"]
    p = Picture(
        600,
        470,
        "The probability of each digit after every row",
        f"Rows of a handwritten {label} from top to bottom. Beside each row the network's ten probabilities after it has "
        f"read the row. At the end the probability of {label} is {probabilities[-1][label]:.4f}.",
    )
    height = 13
    p.text(150, 28, "what the network reads", "name")
    p.text(410, 28, "probability of each digit after the row", "name")
    for r, row in enumerate(rows):
        y = 66 + r * height
        p.heat(52, y, [row], 7, height - 4, 255, ("ink", "ink"))
        p.text(40, y + (height - 4) / 2, str(r + 1), "label", "end")
        best = max(range(10), key=lambda k: probabilities[r][k])
        p.text(558, y + (height - 4) / 2, str(best), "label")
    for k in range(10):
        p.text(285 + 25 * k + 12.5, 54, str(k), "name" if k == label else "label")
    p.text(558, 54, "guess", "label")
    p.heat(285, 64.5, probabilities, 25, height, 1, ("s0", "s0"), levels=20)
    p.text(300, 450, "Full colour means likely. The network never sees the whole image: only a row, and what it remembers.", "label")
    p.write(path)


def unrolled(path, run):
    rows, label = digit(0)
    probabilities = trace(run, rows)["probabilities"]
    left, pitch, width = 106, 26, 20
    p = Picture(
        left + 28 * pitch + 20,
        330,
        "One network, unrolled over the 28 rows of a digit",
        f"28 boxes from left to right, the same network at each time step. Below each box is the row of the handwritten {label} "
        "that it reads, above it its guess after this row.",
    )
    for t, row in enumerate(rows):
        x = left + t * pitch + width / 2
        best = max(range(10), key=lambda k: probabilities[t][k])
        sure = probabilities[t][best]
        p.text(x, 40, str(best), "name")
        p.add(
            f'<rect x="{number(x - 6)}" y="{number(94 - 36 * sure)}" width="12" height="{number(36 * sure)}" fill="var(--s0)"/>'
        )
        p.line([(x - 6, 94), (x + 6, 94)], "line", 1)
        p.line([(x, 112), (x, 98)], "line", 1.2)
        p.add(
            f'<rect x="{number(x - width / 2)}" y="112" width="{width}" height="44" rx="4" fill="var(--recurrent)" '
            'stroke="var(--recurrent-edge)"/>'
        )
        p.line([(x, 172), (x, 156)], "line", 1.2)
        p.line([(x - pitch + width / 2, 134), (x - width / 2, 134)], "recurrent-edge", 2)
        # The row of pixels, stood on end.
        p.heat(x - 4, 172, [[pixel] for pixel in row], 8, 4, 255, ("ink", "ink"))
        p.text(x, 297, str(t + 1), "label")
    p.text(left - 12, 40, "guess", "label", "end")
    p.text(left - 12, 78, "its probability", "label", "end")
    p.text(left - 12, 134, "hidden state", "label", "end")
    p.text(left - 12, 228, "row of pixels", "label", "end")
    p.text(left - 12, 297, "time step", "label", "end")
    p.text(left + 14 * pitch, 318, "All 28 boxes are the same 13,000 parameters. A line carries the hidden state to the next step.", "label")
    p.write(path)


def hidden(path, run):
    rows, label = digit(0)
    states = trace(run, rows)["layers"][0]["h"]
    order = sorted(range(len(states[0])), key=lambda u: next((t for t, h in enumerate(states) if h[u] != 0), 99))
    shown = [[h[u] for u in order] for h in states]
    p = Picture(
        700,
        420,
        f"The hidden state of {len(order)} units while the network reads a {label}",
        "Rows of the image from top to bottom; beside each row the hidden state after it. Units are sorted by the step in "
        "which they first become active. ReLU makes them zero or positive.",
    )
    height = 12
    p.text(125, 28, "row", "name")
    p.text(460, 28, f"hidden state after the row: {len(order)} units", "name")
    for r, row in enumerate(rows):
        y = 50 + r * height
        p.heat(50, y, [row], 5.5, height - 3, 255, ("ink", "ink"))
        p.text(38, y + (height - 3) / 2, str(r + 1), "label", "end")
    p.heat(230, 48.5, shown, 4.5, height, sorted(v for h in shown for v in h)[-30])
    p.text(460, 402, "Each column is a unit, sorted by the step in which it first becomes active.", "label")
    p.write(path)


def weight_maps(path, before, after):
    p = Picture(
        640,
        560,
        "The weights of a recurrent network, before and after training",
        "Heat maps of the weights from the 28 inputs to 100 hidden units, and from the hidden units to themselves: random "
        "before training, and with visible structure afterwards. The recurrent weights start as a multiple of the identity "
        "if the recipe says so. Blue is positive, orange is negative.",
    )
    for column, (run, title) in enumerate(((before, "before training"), (after, "after training"))):
        matrices = weights(run)
        x = 90 + 290 * column
        p.text(x + 125, 28, title, "name")
        incoming = [list(row) for row in zip(*matrices["rnn.weight_ih_l0"])]
        p.heat(x, 50, incoming, 2.5, 4.5, 0.4, levels=6)
        recurrent = [list(row) for row in zip(*matrices["rnn.weight_hh_l0"])]
        p.heat(x, 250, recurrent, 2.5, 2.5, 0.4, levels=4)
        if column == 0:
            p.text(x - 10, 113, "28 pixels", "label", "end")
            p.text(x - 10, 375, "100 units", "label", "end")
        p.text(x + 125, 190, "weight_ih_l0: to 100 units", "label")
        p.text(x + 125, 514, "weight_hh_l0: to 100 units", "label")
    p.text(320, 542, "Blue is positive, orange is negative. The colour is full from 0.4.", "label")
    p.write(path)


def gates(path, run, kind):
    rows, label = digit(0)
    layer = trace(run, rows)["layers"][0]
    if kind == "lstm":
        panels = [
            ("i", "input gate i: what is written", layer["gates"]["i"], 1),
            ("f", "forget gate f: what is kept", layer["gates"]["f"], 1),
            ("o", "output gate o: what is shown", layer["gates"]["o"], 1),
            ("c", "cell state c: what is remembered", layer["c"], 3),
        ]
    else:
        panels = [
            ("r", "reset gate r: what the candidate sees", layer["gates"]["r"], 1),
            ("z", "update gate z: what is kept", layer["gates"]["z"], 1),
            ("n", "candidate n: what could be written", layer["gates"]["n"], 1),
            ("h", "hidden state h", layer["h"], 1),
        ]
    units = len(layer["h"][0])
    kept = layer["gates"]["f" if kind == "lstm" else "z"]
    order = sorted(range(units), key=lambda u: -sum(row[u] for row in kept))
    width, height = 3.1, 7
    p = Picture(
        780,
        572,
        f"The gates of a trained {kind.upper()} while it reads a {label}",
        "Heat maps: time goes from top to bottom, each column is a unit. "
        + "; ".join(title for _, title, _, _ in panels)
        + ". Units are sorted by how much they keep. Blue is positive, orange is negative.",
    )
    for i, (_, title, values, largest) in enumerate(panels):
        x, y = 90 + 345 * (i % 2), 56 + 252 * (i // 2)
        p.text(x + units * width / 2, y - 16, title, "name")
        p.heat(x, y, [[row[u] for u in order] for row in values], width, height, largest, levels=5)
        if i % 2 == 0:
            for r in range(28):
                p.heat(x - 62, y + r * height, [rows[r]], 2, height, 255, ("ink", "ink"), frame=False)
    p.text(390, 538, f"Each column is one of {units} units. Those that keep most are at the left.", "label")
    p.text(390, 555, f"Blue is positive, orange is negative. At the far left are the rows of the {label}.", "label")
    p.write(path)
