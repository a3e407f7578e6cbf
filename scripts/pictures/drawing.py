"""Draws SVG pictures in one style, for light and dark. Boxes look as `unroll inspect --svg` draws them."""

import math
from html import escape

# name: (light, dark)
COLOURS = {
    "paper": ("#ffffff", "#0d1117"),
    "ink": ("#1f2328", "#e6edf3"),
    "soft": ("#4b535d", "#b6c0cb"),
    "line": ("#59636e", "#9aa4af"),
    "grid": ("#dfe3e8", "#2c333b"),
    "data": ("#fdeee2", "#33230f"),
    "data-edge": ("#b4561a", "#e3a368"),
    "recurrent": ("#e7f1fb", "#10263f"),
    "recurrent-edge": ("#1d5fa8", "#79b8ff"),
    "weights": ("#f3ecfb", "#291f40"),
    "weights-edge": ("#6b3fa0", "#c297ff"),
    "plain": ("#f0f2f5", "#21262d"),
    "plain-edge": ("#59636e", "#9aa4af"),
    "s0": ("#1d5fa8", "#79b8ff"),
    "s1": ("#b4561a", "#e3a368"),
    "s2": ("#6b3fa0", "#c297ff"),
    "s3": ("#1f7a3c", "#6fce85"),
    "s4": ("#a8325e", "#ff94bd"),
}
DASHES = ["", "7 3", "2 3", "9 3 2 3", "14 4"]  # so that lines differ without colour


def style():
    def variables(which):
        return ";".join(f"--{name}:{pair[which]}" for name, pair in COLOURS.items())

    rules = [
        f".unroll-picture{{{variables(0)}}}",
        "@media (prefers-color-scheme:dark){.unroll-picture{" + variables(1) + "}}",
        ".unroll-picture .name{font-size:13px;font-weight:600}",
        ".unroll-picture .detail{font-size:12px}",
        ".unroll-picture .label{font-size:11px;fill:var(--soft)}",
    ]
    return "\n".join(rules)


def number(value):
    return f"{value:.1f}".rstrip("0").rstrip(".") if value else "0"


class Picture:
    def __init__(self, width, height, title, description):
        self.width, self.height, self.title, self.description = width, height, title, description
        self.parts = []

    def add(self, element):
        self.parts.append(element)

    def text(self, x, y, text, kind="detail", anchor="middle", colour=None, turn=None):
        """Around (x, y), or from there to the right (start) or left (end)."""
        size = {"name": 13, "detail": 12, "label": 11}[kind]
        more = f' text-anchor="{anchor}"' if anchor != "middle" else ""
        if colour:
            more += f' style="fill:var(--{colour})"'
        if turn:
            more += f' transform="rotate({turn} {number(x)} {number(y)})"'
        self.add(f'<text class="{kind}" x="{number(x)}" y="{number(y + size * 0.35)}"{more}>{escape(text)}</text>')

    def box(self, x, y, width, lines, fill, height=None):
        """Around (x, y). The first line is the name. Returns the height."""
        height = height or 16 * len(lines) + 14
        self.add(
            f'<rect x="{number(x - width / 2)}" y="{number(y - height / 2)}" width="{number(width)}" '
            f'height="{number(height)}" rx="7" fill="var(--{fill})" stroke="var(--{fill}-edge)" stroke-width="1.2"/>'
        )
        for i, line in enumerate(lines):
            at = y + 16 * (i - (len(lines) - 1) / 2)
            self.text(x, at, line, "name" if i == 0 else "detail")
        return height

    def circle(self, x, y, radius, sign, fill="plain"):
        self.add(
            f'<circle cx="{number(x)}" cy="{number(y)}" r="{number(radius)}" fill="var(--{fill})" '
            f'stroke="var(--{fill}-edge)" stroke-width="1.2"/>'
        )
        self.text(x, y, sign, "name")

    def line(self, points, colour="line", width=1.4, dash=""):
        path = " ".join(f"{number(x)} {number(y)}" for x, y in points)
        more = f' stroke-dasharray="{dash}"' if dash else ""
        self.add(
            f'<path d="M{path}" fill="none" stroke="var(--{colour})" stroke-width="{width}" '
            f'stroke-linejoin="round"{more}/>'
        )

    def arrow(self, points, colour="line", width=1.4):
        (bx, by), (ex, ey) = points[-2:]
        length = math.hypot(ex - bx, ey - by)
        ux, uy = (ex - bx) / length, (ey - by) / length
        nx, ny = ex - 8 * ux, ey - 8 * uy
        self.line(points[:-1] + [(nx, ny)], colour, width)
        corners = [(ex, ey), (nx - 4 * uy, ny + 4 * ux), (nx + 4 * uy, ny - 4 * ux)]
        path = " ".join(f"{number(x)} {number(y)}" for x, y in corners)
        self.add(f'<path d="M{path}z" fill="var(--{colour})"/>')

    def dot(self, x, y):
        self.add(f'<circle cx="{number(x)}" cy="{number(y)}" r="3" fill="var(--line)"/>')

    def heat(self, x, y, rows, cell_width, cell_height, largest=None, colours=("s0", "s1"), levels=8, frame=True):
        """A heat map. 0 is the paper; positive values have the first colour, negative ones the second.

        By default blue is positive and orange negative, as on the page of `unroll report`.
        """
        largest = largest or max(abs(v) for row in rows for v in row) or 1
        runs = {}
        for r, row in enumerate(rows):
            start = 0
            shades = [max(-levels, min(levels, round(v / largest * levels))) for v in row]
            while start < len(shades):
                end = start
                while end < len(shades) and shades[end] == shades[start]:
                    end += 1
                if shades[start]:
                    runs.setdefault(shades[start], []).append(f"M{start} {r}h{end - start}")
                start = end
        width, height = len(rows[0]) * cell_width, len(rows) * cell_height
        # Rows are strokes, half a cell below their number. A little overlap hides the seams.
        self.add(
            f'<g transform="translate({number(x)} {number(y)}) scale({cell_width} {cell_height}) translate(0 .5)" '
            'fill="none" stroke-width="1.03">'
        )
        for shade, path in sorted(runs.items()):
            colour = colours[0] if shade > 0 else colours[1]
            self.add(f'<path stroke="var(--{colour})" stroke-opacity="{abs(shade) / levels:.3g}" d="{"".join(path)}"/>')
        self.add("</g>")
        if frame:
            self.add(
                f'<rect x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}" '
                'fill="none" stroke="var(--line)" stroke-width="0.8"/>'
            )

    def write(self, path):
        body = "\n".join(self.parts)
        text = (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="unroll-picture" role="img" width="{number(self.width)}" '
            f'height="{number(self.height)}" viewBox="0 0 {number(self.width)} {number(self.height)}" '
            "font-family=\"system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif\" text-anchor=\"middle\" "
            'fill="var(--ink)">\n'
            f"<title>{escape(self.title)}</title>\n<desc>{escape(self.description)}</desc>\n"
            f"<style>\n{style()}\n</style>\n"
            f'<rect width="{number(self.width)}" height="{number(self.height)}" rx="12" fill="var(--paper)"/>\n'
            f"{body}\n</svg>\n"
        )
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


class Chart:
    """Axes in a picture. Ranges are (first, last); `log` for the y axis."""

    def __init__(self, picture, box, xs, ys, x_label, y_label, log=False, x_ticks=None, y_ticks=None, x_text=str, y_text=None):
        self.p, (self.left, self.top, self.width, self.height) = picture, box
        self.xs, self.ys, self.log = xs, ys, log
        if y_ticks is None:
            first, last = (math.ceil(math.log10(y)) if log else y for y in ys)
            y_ticks = [10.0**k for k in range(first, math.floor(math.log10(ys[1])) + 1)] if log else []
        for tick in y_ticks:
            y = self.y(tick)
            picture.line([(self.left, y), (self.left + self.width, y)], "grid", 1)
            picture.text(self.left - 7, y, (y_text or (lambda v: f"{v:g}"))(tick), "label", "end")
        bottom = self.top + self.height
        for tick in x_ticks or []:
            x = self.x(tick)
            picture.line([(x, bottom), (x, bottom + 4)], "line", 1)
            picture.text(x, bottom + 14, x_text(tick), "label")
        picture.line([(self.left, self.top), (self.left, bottom), (self.left + self.width, bottom)], "line", 1)
        picture.text(self.left + self.width / 2, bottom + 32, x_label, "label")
        picture.text(self.left, self.top - 14, y_label, "label", "start")

    def x(self, value):
        return self.left + (value - self.xs[0]) / (self.xs[1] - self.xs[0]) * self.width

    def y(self, value):
        low, high = self.ys
        if self.log:
            low, high, value = math.log10(low), math.log10(high), math.log10(max(value, 1e-300))
        share = (value - low) / (high - low)
        return self.top + (1 - max(0.0, min(1.0, share))) * self.height

    def line(self, points, series, width=2.0):
        shown = [(self.x(x), self.y(y)) for x, y in points if y is not None and math.isfinite(y)]
        self.p.line(shown, f"s{series}", width, DASHES[series])

    def legend(self, x, y, names):
        for series, name in names:
            self.p.line([(x, y), (x + 26, y)], f"s{series}", 2.0, DASHES[series])
            self.p.text(x + 33, y, name, "detail", "start")
            y += 18


def mean_in_bins(points, bins):
    """(step, value) pairs as at most so many means; bins without a finite value are left out."""
    points = [p for p in points if p[1] is not None and math.isfinite(p[1])]
    size = max(1, math.ceil(len(points) / bins))
    groups = [points[i : i + size] for i in range(0, len(points), size)]
    return [(sum(x for x, _ in g) / len(g), sum(y for _, y in g) / len(g)) for g in groups]
