"""Pictures of networks and cells that the program does not draw itself."""

import json

from drawing import Picture
from runs import program

WIDTH, GAP = 150, 40


def counts(run):
    """Parameters by layer: {"fc": 1010}."""
    layers = {}
    for tensor in json.loads(program("inspect", run, "--json"))["tensors"]:
        name = tensor["name"].rsplit(".", 1)[0]
        layers[name] = layers.get(name, 0) + tensor["count"]
    return {name: f"{count:,} parameters" for name, count in layers.items()}


def chain(p, x, bottom, boxes):
    """Boxes (lines, fill, shape of the arrow into it) from the bottom up. Returns the middle of each."""
    y, middles = bottom, []
    for lines, fill, shape in boxes:
        if middles:
            p.arrow([(x, y), (x, y - GAP)])
            p.text(x + 8, y - GAP / 2 - 2, shape, "label", "start")
            y -= GAP
        height = 16 * len(lines) + 14
        width = WIDTH if fill != "data" else WIDTH * 0.75
        p.box(x, y - height / 2, width, lines, fill)
        middles.append(y - height / 2)
        y -= height
    return middles


def loop(p, x, y, text):
    """The arrow from a box back to itself: the one new thing of a recurrent network."""
    right, out, up = x + WIDTH / 2, x + WIDTH / 2 + 34, y - 62
    p.line([(right, y + 10), (out, y + 10), (out, up)], "s1", 2.2)
    p.arrow([(out, up), (x + 40, up), (x + 40, y - 31)], "s1", 2.2)
    p.text(out + 8, y - 20, text, "label", "start")


def rnn_boxes(run):
    count = counts(run)
    return [
        (["row", "28 pixels"], "data", ""),
        (["rnn", "RNN, ReLU", count["rnn"]], "recurrent", "28"),
        (["fc", "linear", count["fc"]], "weights", "100"),
        (["output", "10 logits"], "data", "10"),
    ]


def transition(path, logistic, fnn, rnn):
    p = Picture(
        850,
        500,
        "From logistic regression to a recurrent network",
        "Three networks side by side. Logistic regression: pixels, one linear layer, ten logits. A feed-forward network: one "
        "more linear layer, with ReLU between. A recurrent network: it reads a row at a time, and an arrow leads from its "
        "hidden layer back to itself.",
    )
    one, two = counts(logistic), counts(fnn)
    [count] = one.values()
    image = (["image", "784 pixels"], "data", "")
    output = (["output", "10 logits"], "data", "10")
    chain(p, 120, 430, [image, (["linear", count], "weights", "784"), output])
    chain(
        p,
        340,
        430,
        [
            image,
            (["fc1", "linear", two["fc1"]], "weights", "784"),
            (["ReLU"], "plain", "100"),
            (["fc2", "linear", two["fc2"]], "weights", "100"),
            output,
        ],
    )
    middles = chain(p, 570, 430, rnn_boxes(rnn))
    loop(p, 570, middles[1], "h 100, for the next row")
    p.text(120, 460, "logistic regression", "name")
    p.text(340, 460, "feed-forward network", "name")
    p.text(570, 460, "recurrent network", "name")
    p.text(120, 480, "one linear layer", "label")
    p.text(340, 480, "a hidden layer more", "label")
    p.text(570, 480, "a row at a time, and an arrow back", "label")
    p.write(path)


def gate(p, x, y, sign, text):
    p.box(x, y, 84, [sign, text], "recurrent")


def lstm_cell(path):
    p = Picture(
        720,
        390,
        "An LSTM cell",
        "The cell state c runs straight from left to right. The forget gate multiplies it, the input gate times the candidate "
        "is added. The output gate times tanh of c is the hidden state h.",
    )
    road, bus, gates = 80, 310, 240
    p.line([(60, road), (146, road)], "s1", 3)
    p.line([(176, road), (311, road)], "s1", 3)
    p.arrow([(341, road), (680, road)], "s1", 3)
    p.text(56, road, "c", "name", "end")
    p.text(690, road, "c", "name", "start")
    p.text(470, road - 16, "the cell state: only × and + on its way", "label")
    # The inputs of all gates.
    p.line([(60, bus), (500, bus)])
    p.arrow([(92, 362), (92, bus)])
    p.dot(92, bus)
    p.text(56, bus, "h", "name", "end")
    p.text(92, 374, "x", "name")
    for x, sign, text in ((161, "f", "forget gate"), (276, "i", "input gate"), (376, "g", "candidate"), (500, "o", "output gate")):
        p.arrow([(x, bus), (x, gates + 23)])
        if x < 500:
            p.dot(x, bus)
        gate(p, x, gates, sign, text)
    p.arrow([(161, gates - 23), (161, road + 13)])
    p.circle(161, road, 13, "×")
    # What is written.
    p.arrow([(276, gates - 23), (276, 150), (313, 150)])
    p.arrow([(376, gates - 23), (376, 150), (339, 150)])
    p.circle(326, 150, 13, "×")
    p.arrow([(326, 137), (326, road + 13)])
    p.circle(326, road, 13, "+")
    # What is shown.
    p.dot(600, road)
    p.arrow([(600, road), (600, 128)])
    p.box(600, 143, 64, ["tanh"], "plain")
    p.arrow([(600, 158), (600, gates - 13)])
    p.arrow([(542, gates), (587, gates)])
    p.circle(600, gates, 13, "×")
    p.arrow([(600, gates + 13), (600, bus), (680, bus)])
    p.text(690, bus, "h", "name", "start")
    p.text(400, 352, "f, i and o are between 0 and 1 (sigmoid), g is between −1 and 1 (tanh)", "label")
    p.text(400, 370, "c = f × c + i × g, then h = o × tanh(c)", "detail")
    p.text(60, 28, "one time step", "name", "start")
    p.write(path)


def gru_cell(path):
    p = Picture(
        720,
        390,
        "A GRU cell",
        "The hidden state h runs straight from left to right. The update gate z decides how much of it stays; the rest comes "
        "from the candidate n. The reset gate r decides how much of h the candidate sees.",
    )
    road, bus, gates = 80, 310, 240
    p.line([(60, road), (167, road)], "s1", 3)
    p.line([(193, road), (507, road)], "s1", 3)
    p.arrow([(533, road), (680, road)], "s1", 3)
    p.text(56, road, "h", "name", "end")
    p.text(690, road, "h", "name", "start")
    p.text(350, road - 16, "the hidden state: only × and + on its way", "label")
    p.line([(100, road), (100, bus), (520, bus)])
    p.dot(100, road)
    p.arrow([(130, 362), (130, bus)])
    p.dot(130, bus)
    p.text(130, 374, "x", "name")
    for x, sign, text in ((180, "z", "update gate"), (350, "r", "reset gate"), (520, "n", "candidate")):
        p.arrow([(x, bus), (x, gates + 23)])
        if x < 520:
            p.dot(x, bus)
        gate(p, x, gates, sign, text)
    p.arrow([(180, gates - 23), (180, road + 13)])
    p.circle(180, road, 13, "×")
    p.dot(180, 150)
    p.arrow([(180, 150), (329, 150)])
    p.circle(350, 150, 20, "1 −")
    p.arrow([(370, 150), (507, 150)])
    p.arrow([(392, gates), (478, gates)])
    p.text(435, gates - 12, "times W h", "label")
    p.arrow([(520, gates - 23), (520, 163)])
    p.circle(520, 150, 13, "×")
    p.arrow([(520, 137), (520, road + 13)])
    p.circle(520, road, 13, "+")
    p.text(420, 352, "z and r are between 0 and 1 (sigmoid), n is between −1 and 1 (tanh)", "label")
    p.text(420, 370, "h = z × h + (1 − z) × n", "detail")
    p.text(60, 28, "one time step", "name", "start")
    p.write(path)
