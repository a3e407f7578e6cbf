"""Reads the files of series that series.py and series_step.py work on."""
import csv
import gzip

import numpy as np


def open_text(path):
    return gzip.open(path, "rt") if path.endswith(".gz") else open(path, encoding="utf-8")


def read_ts(path):
    """The series of a .ts file, arrays (steps, columns), and their targets as texts."""
    series, targets, is_data = [], [], False
    with open_text(path) as file:
        for line in file:
            line = line.strip()
            if is_data and line:
                *columns, target = line.split(":")
                series.append(np.array([[float(value) for value in column.split(",")]
                                        for column in columns]).T)
                targets.append(target)
            is_data = is_data or line.lower() == "@data"
    return series, np.array(targets)


def read_watch(path):
    """Windows of 50 steps, each 25 after the one before: values, classes, subjects, recordings."""
    recordings = {}
    with open_text(path) as file:
        for row in csv.DictReader(file):
            key = int(row["series"]), int(row["subject"]), row["exercise"]
            recordings.setdefault(key, []).append(
                [float(row[column]) for column in ("ax", "ay", "az", "wx", "wy", "wz")])
    windows = [(np.array(values[start:start + 50]), *key)
               for key, values in recordings.items()
               for start in range(0, len(values) - 49, 25)]
    values, names, subjects, classes = zip(*windows)
    return list(values), np.array(classes), np.array(subjects), np.array(names)


def read_sentences(path):
    """Lists of (word, tag). An empty line ends a sentence, and the first line is a header."""
    with open_text(path) as file:
        blocks = "".join(file.readlines()[1:]).split("\n\n")
    return [[tuple(line.split("\t")) for line in block.splitlines() if line]
            for block in blocks if block.strip()]


def scale(train, *others):
    """Columns to mean 0 and standard deviation 1 of the training part."""
    rows = np.concatenate(train)
    mean, deviation = rows.mean(0), rows.std(0)
    deviation[deviation == 0] = 1
    return [[(values - mean) / deviation for values in part] for part in (train, *others)]
