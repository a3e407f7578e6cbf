#!/usr/bin/env python3
"""Records a shell in a terminal as an animated SVG.

record_terminal.py OUT.svg --size 80x24 COMMAND...

Starts bash in a pseudo-terminal in an empty folder, types each command, and waits for the prompt. A command that fails
ends the recording. Times are real, but long waits are shortened. A reader who wants no motion, or a viewer without animation, shows the last picture. Needs
pyte, a terminal emulator (pip install pyte).
"""

import argparse
import fcntl
import os
import pty
import select
import struct
import tempfile
import termios
import time
from html import escape

import pyte

PROMPT = "$ "
KEY = 0.045  # seconds between typed characters
LONGEST_WAIT = 1.2  # waits without output are cut to so many seconds
PAUSE, END = 1.0, 5.0  # after a command, and at the end
RATE = 6  # pictures a second
CELL, ROW, MARGIN, BAR = 8.0, 18.0, 14.0, 26.0

# light, dark
COLOURS = {
    "paper": ("#ffffff", "#0d1117"),
    "bar": ("#eceff3", "#21262d"),
    "edge": ("#c9d1d9", "#3a424c"),
    "default": ("#1f2328", "#e6edf3"),
    "black": ("#57606a", "#8b949e"),
    "red": ("#b4231a", "#ff9a90"),
    "green": ("#1f7a3c", "#6fce85"),
    "brown": ("#8a5a00", "#e3b341"),
    "blue": ("#1d5fa8", "#79b8ff"),
    "magenta": ("#6b3fa0", "#c297ff"),
    "cyan": ("#0f6f7c", "#6bd3e0"),
    "white": ("#4b535d", "#b6c0cb"),
}


class Terminal:
    """A shell in a pseudo-terminal, and its screen over time."""

    def __init__(self, columns, rows, folder, statuses):
        self.statuses = statuses  # a file with the exit status of each command
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.frames = []  # (seconds, lines of the screen)
        self.child, self.master = pty.fork()
        if self.child == 0:
            os.chdir(folder)
            os.environ.update(PS1=PROMPT, TERM="xterm", HISTFILE="/dev/null", BASH_SILENCE_DEPRECATION_WARNING="1")
            os.environ.update(COLUMNS=str(columns), LINES=str(rows), LC_ALL="C.UTF-8")
            os.environ["PROMPT_COMMAND"] = f"echo $? >> {statuses}"
            os.execvp("bash", ["bash", "--norc", "--noprofile", "--noediting", "-o", "pipefail"])
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.clock, self.heard = 0.0, time.monotonic()

    def lines(self):
        def run_of(char):
            return (char.fg if char.fg in COLOURS else "default"), char.bold

        shown = []
        for y in range(self.screen.lines):
            row, runs = self.screen.buffer[y], []
            for x in range(self.screen.columns):
                char = row[x]
                if runs and runs[-1][1] == run_of(char):
                    runs[-1][2] += char.data
                else:
                    runs.append([x, run_of(char), char.data])
            while runs and not runs[-1][2].strip():
                runs.pop()
            if runs:
                runs[-1][2] = runs[-1][2].rstrip()
            shown.append(tuple((x, look, text) for x, look, text in runs if text.strip()))
        return tuple(shown)

    def read(self, seconds):
        """Hears what comes within so many seconds. Returns whether anything came."""
        ready, _, _ = select.select([self.master], [], [], seconds)
        now = time.monotonic()
        self.clock += min(now - self.heard, LONGEST_WAIT)
        self.heard = now
        if not ready:
            return False
        self.stream.feed(os.read(self.master, 65536))
        lines = self.lines()
        if not self.frames or lines != self.frames[-1][1]:
            self.frames.append((self.clock, lines))
        return True

    def wait_for_prompt(self, longest):
        end = time.monotonic() + longest
        while time.monotonic() < end:
            self.read(0.05)
            row = "".join(self.screen.buffer[self.screen.cursor.y][x].data for x in range(self.screen.columns))
            if row.rstrip() == PROMPT.rstrip() and self.screen.cursor.x == len(PROMPT):
                return
        raise SystemExit(f"record_terminal: no prompt after {longest} seconds")

    def run(self, command, longest):
        for character in command:
            os.write(self.master, character.encode())
            end = time.monotonic() + KEY
            while (left := end - time.monotonic()) > 0:
                self.read(left)
        os.write(self.master, b"\n")
        while self.screen.cursor.x != 0 and self.read(1.0):
            pass  # until the line has ended, the cursor is still behind a prompt
        self.wait_for_prompt(longest)
        with open(self.statuses, encoding="ascii") as file:
            status = file.read().split()[-1]
        if status != "0":
            raise SystemExit(f"record_terminal: {command} ended with status {status}")
        self.clock += PAUSE


def intervals(frames, end):
    """For each text of a row: (first second, last second, row, runs)."""
    shown = []
    for row in range(len(frames[0][1])):
        start, runs = frames[0][0], frames[0][1][row]
        for when, lines in frames[1:]:
            if lines[row] != runs:
                shown.append((start, when, row, runs))
                start, runs = when, lines[row]
        shown.append((start, end, row, runs))
    return [(a, b, row, runs) for a, b, row, runs in shown if runs and b > a]


def svg(frames, columns, rows, title, description):
    kept = []
    for when, lines in frames:
        when = round(when * RATE) / RATE
        if kept and kept[-1][0] == when:
            kept.pop()
        kept.append((when, lines))
    end = kept[-1][0] + END
    used = max(y + 1 for _, lines in kept for y, runs in enumerate(lines) if runs)
    rows = min(rows, used)
    groups = {}
    for start, stop, row, runs in intervals(kept, end):
        groups.setdefault((start, stop), []).append((row, runs))

    width, height = 2 * MARGIN + columns * CELL, BAR + 2 * MARGIN + rows * ROW
    rules, body = [], []
    for index, ((start, stop), texts) in enumerate(sorted(groups.items())):
        last = stop >= end
        if start > 0 or not last:
            frames_of = "" if start == 0 else "0%{visibility:hidden}"
            frames_of += f"{100 * start / end:.2f}%{{visibility:visible}}"
            frames_of += "" if last else f"{100 * stop / end:.2f}%{{visibility:hidden}}"
            rules.append(f"@keyframes t{index}{{{frames_of}}}.t{index}{{animation-name:t{index}}}")
        body.append(f'<g class="t{index} {"last" if last else "gone"}">')
        for row, runs in texts:
            y = BAR + MARGIN + row * ROW + ROW * 0.72
            for x, (colour, bold), text in runs:
                stripped = text.lstrip(" ")
                x += len(text) - len(stripped)
                look = (f' fill="var(--{colour})"' if colour != "default" else "") + (' font-weight="700"' if bold else "")
                body.append(
                    f'<text x="{MARGIN + x * CELL:g}" y="{y:g}" textLength="{len(stripped) * CELL:g}"{look}>'
                    f"{escape(stripped)}</text>"
                )
        body.append("</g>")

    def variables(which):
        return ";".join(f"--{name}:{pair[which]}" for name, pair in COLOURS.items())

    style = "\n".join(
        [
            f".unroll-terminal{{{variables(0)}}}",
            "@media (prefers-color-scheme:dark){.unroll-terminal{" + variables(1) + "}}",
            ".unroll-terminal text{white-space:pre}",
            ".unroll-terminal .gone{visibility:hidden}",
            "@media (prefers-reduced-motion:no-preference){",
            f".unroll-terminal g{{animation-duration:{end:.1f}s;animation-timing-function:step-end;animation-iteration-count:infinite}}",
            *rules,
            "}",
        ]
    )
    dots = "".join(f'<circle cx="{18 + 16 * i}" cy="{BAR / 2:g}" r="4.5" fill="var(--edge)"/>' for i in range(3))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="unroll-terminal" role="img" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}" font-size="13" fill="var(--default)" '
        "font-family=\"ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace\">\n"
        f"<title>{escape(title)}</title>\n<desc>{escape(description)}</desc>\n<style>\n{style}\n</style>\n"
        f'<rect x="0.5" y="0.5" width="{width - 1:g}" height="{height - 1:g}" rx="10" fill="var(--paper)" stroke="var(--edge)"/>\n'
        f'<path d="M1 {BAR:g}V10.5A9.5 9.5 0 0 1 10.5 1H{width - 10.5:g}A9.5 9.5 0 0 1 {width - 1:g} 10.5V{BAR:g}z" '
        f'fill="var(--bar)"/>\n{dots}\n' + "\n".join(body) + "\n</svg>\n"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("commands", nargs="+", metavar="COMMAND")
    parser.add_argument("--size", default="80x24", help="columns x rows")
    parser.add_argument("--title", default="A recording of a terminal")
    parser.add_argument("--longest", type=float, default=300, help="seconds that a command may take")
    flags = parser.parse_args()
    columns, rows = map(int, flags.size.split("x"))
    with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile() as statuses:
        terminal = Terminal(columns, rows, folder, statuses.name)
        terminal.wait_for_prompt(10)
        terminal.clock = 0.0
        terminal.frames = [(0.0, terminal.lines())]
        terminal.clock += PAUSE / 2
        for command in flags.commands:
            terminal.run(command, flags.longest)
        os.write(terminal.master, b"exit\n")
        os.close(terminal.master)
        os.waitpid(terminal.child, 0)
    last = "\n".join("".join(text for _, _, text in runs) for runs in terminal.frames[-1][1]).strip()
    with open(flags.out, "w", encoding="utf-8") as file:
        file.write(svg(terminal.frames, columns, rows, flags.title, "At the end it shows: " + last))
    print(f"{flags.out}: {len(terminal.frames)} pictures, {os.path.getsize(flags.out)} bytes")


main()
