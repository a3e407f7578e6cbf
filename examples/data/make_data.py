#!/usr/bin/env python3
"""Writes the small tables of docs/your_data.md beside this script. All of them are made up.

  pumps.csv      classify: cycles of 12 pumps, and the state of the pump
  batteries.csv  regress: discharges of batteries, and the capacity of the battery
  commands.tsv   label: sentences to a house, and what each word is
"""
import math
import random
from pathlib import Path

HERE = Path(__file__).resolve().parent


def write(name, lines):
    (HERE / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def pumps(generator):
    """A leak lets the pressure fall. A worn pump makes the flow swing."""
    lines = ["cycle,pump,second,pressure,flow,mode,state"]
    cycle = 0
    for pump in range(1, 13):
        usual_pressure, usual_flow = generator.gauss(5, 0.1), generator.gauss(20, 0.3)
        for state in ("good", "leak", "worn") * 3:
            cycle += 1
            mode = generator.choice(("eco", "full"))
            strength = 0.7 if mode == "eco" else 1.0
            swing = generator.uniform(1.5, 4) if state == "worn" else 0
            fall = generator.uniform(0.05, 0.15) if state == "leak" else 0
            for second in range(generator.randint(9, 16)):
                pressure = strength * usual_pressure - fall * second + generator.gauss(0, 0.08)
                flow = (strength * usual_flow + swing * math.sin(1.9 * second)
                        + generator.gauss(0, 0.4))
                lines.append(f"c{cycle:03},p{pump},{second},{pressure:.2f},{flow:.1f},{mode},"
                             f"{state}")
    write("pumps.csv", lines)


def batteries(generator):
    """The voltage falls with the charge that was taken, as a share of the capacity."""
    lines = ["run,minute,voltage,current,capacity"]
    for run in range(1, 81):
        capacity, current = generator.uniform(1.5, 3), generator.uniform(0.5, 2.5)
        taken = 0.0
        for step in range(generator.randint(8, 12)):
            drawn = max(0.1, current + generator.gauss(0, 0.2))
            voltage = 4.2 - 0.06 * drawn - 1.1 * taken / capacity + generator.gauss(0, 0.005)
            lines.append(f"r{run:02},{5 * step},{voltage:.3f},{drawn:.2f},{capacity:.2f}")
            taken += drawn * 5 / 60
    write("batteries.csv", lines)


PLACES = ("kitchen", "hall", "bedroom", "garage", "office")
DEVICES = ("lamp", "fan", "heater", "light", "radio")


def sentence(generator):
    """Words and what they are. "light" and "heat" are devices or actions: the words around tell."""
    place, device = generator.choice(PLACES), generator.choice(DEVICES)
    start = generator.choice(([], [("please", "other")], [("now", "other")]))
    return start + generator.choice((
        [("turn", "action"), (generator.choice(("on", "off")), "action"), ("the", "other"),
         (place, "place"), (device, "device")],
        [("light", "action"), ("the", "other"), (place, "place")],
        [("heat", "action"), ("the", "other"), (place, "place"), ("a", "other"),
         ("bit", "other")],
        [("set", "action"), ("the", "other"), (device, "device"), ("in", "other"),
         ("the", "other"), (place, "place"), ("to", "other"),
         (generator.choice(("low", "high")), "level")],
        [("is", "other"), ("the", "other"), ("heat", "device"), (generator.choice(("on", "off")),
         "level"), ("in", "other"), ("the", "other"), (place, "place")],
        [(device, "device"), (generator.choice(("on", "off")), "level"), ("please", "other")]))


def commands(generator):
    lines = ["word\tkind"]
    for _ in range(150):
        lines += [f"{word}\t{kind}" for word, kind in sentence(generator)] + [""]
    write("commands.tsv", lines)


pumps(random.Random(1))
batteries(random.Random(2))
commands(random.Random(3))
