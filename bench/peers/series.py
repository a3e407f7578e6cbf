#!/usr/bin/env python3
"""Tests simple and classical methods on files of series, on the split that Unroll uses.

    python3 -m venv build/series-venv
    build/series-venv/bin/pip install -r bench/peers/requirements_series.txt
    build/series-venv/bin/python bench/peers/series.py classify X_TRAIN.ts X_TEST.ts
    ... series.py regress X_TRAIN.ts X_TEST.ts
    ... series.py folds watch.csv.gz
    ... series.py label train.tsv test.tsv

The methods, all with their usual settings and one thread:

  most frequent  the most frequent class of the training part; for numbers the mean
  ridge          linear on all steps: columns scaled by the training part, shorter series padded
                 with 0 to the longest training series, longer ones cut. The penalty is chosen
                 within the training part
  boosting       gradient boosting on eight numbers of each column: mean, standard deviation,
                 minimum, maximum, slope and quartiles
  MiniRocket     10,000 random kernels and ridge. Series of different lengths are stretched to the
                 longest training series by linear interpolation
  most frequent tag   label: each word's most frequent class in the training part
  logistic            label: logistic regression on the word, its last three letters, and the
                      words beside it
"""
import argparse
import collections
import json
import os
import sys
import time
import warnings

sys.dont_write_bytecode = True
for library in ("OMP", "OPENBLAS", "NUMBA"):
    os.environ[f"{library}_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402

from series_files import read_sentences, read_ts, read_watch, scale  # noqa: E402

MINIROCKET_SHORTEST = 9  # steps; its kernels have nine weights


def padded(series, steps):
    result = np.zeros((len(series), steps, series[0].shape[1]))
    for row, values in zip(result, series):
        row[:len(values)] = values[:steps]
    return result.reshape(len(series), -1)


def stretched(series, steps):
    """(N, columns, steps), as aeon has it."""
    def stretch(values):
        if len(values) == steps:
            return values.T
        places = np.linspace(0, len(values) - 1, steps)
        return np.array([np.interp(places, np.arange(len(values)), column)
                         for column in values.T])
    return np.array([stretch(values) for values in series], dtype=np.float32)


def summaries(series):
    def of_column(x):
        slope = np.polyfit(np.arange(len(x)), x, 1)[0] if len(x) > 1 else 0.0
        return [x.mean(), x.std(), x.min(), x.max(), slope, *np.quantile(x, (0.25, 0.5, 0.75))]
    return np.array([np.concatenate([of_column(column) for column in values.T])
                     for values in series])


def methods(is_class, seed):
    """Name, model, and its inputs from (training series, series, longest training series)."""
    from aeon.classification.convolution_based import MiniRocketClassifier
    from aeon.regression.convolution_based import MiniRocketRegressor
    from sklearn import dummy, ensemble, linear_model
    penalties = {"alphas": np.logspace(-3, 3, 13)}

    def ridge_inputs(train, series, steps):
        return padded(scale(train, series)[1], steps)

    def kernel_inputs(_, series, steps):
        return stretched(series, max(steps, MINIROCKET_SHORTEST))

    def summary_inputs(_, series, steps):
        return summaries(series)
    if is_class:
        return [("most frequent", dummy.DummyClassifier(), summary_inputs),
                ("ridge", linear_model.RidgeClassifierCV(**penalties), ridge_inputs),
                ("boosting", ensemble.GradientBoostingClassifier(random_state=seed),
                 summary_inputs),
                ("MiniRocket", MiniRocketClassifier(random_state=seed), kernel_inputs)]
    return [("most frequent", dummy.DummyRegressor(), summary_inputs),
            ("ridge", linear_model.RidgeCV(**penalties), ridge_inputs),
            ("boosting", ensemble.GradientBoostingRegressor(random_state=seed), summary_inputs),
            ("MiniRocket", MiniRocketRegressor(random_state=seed), kernel_inputs)]


SEEDED = {"boosting", "MiniRocket"}


def root_mean_square(errors):
    return float(np.sqrt(np.mean(np.square(errors))))


def scores_of(predicted, truth, recordings):
    """A percentage for classes, also of whole recordings; for numbers the RMSE."""
    if truth.dtype.kind == "f":
        return {"RMSE": root_mean_square(predicted - truth)}
    result = {"accuracy": 100 * float(np.mean(predicted == truth))}
    if recordings is not None:
        right = [collections.Counter(predicted[recordings == name]).most_common(1)[0][0]
                 == truth[recordings == name][0] for name in np.unique(recordings)]
        result["accuracy of series"] = 100 * float(np.mean(right))
    return result


def run(splits, seeds):
    """Tests all methods. A split has training series and targets, test series and targets, and
    the recording of each test window or None. Scores are means over the splits."""
    is_class = splits[0][1].dtype.kind != "f"
    for index in range(4):
        runs, seconds, name = [], 0.0, ""
        for seed in seeds:
            scores = []
            for train, targets, test, truth, recordings in splits:
                name, model, inputs = methods(is_class, seed)[index]
                steps = max(map(len, train))
                start = time.process_time()
                model.fit(inputs(train, train, steps), targets)
                predicted = model.predict(inputs(train, test, steps))
                seconds += time.process_time() - start
                scores.append(scores_of(predicted, truth, recordings))
            runs.append({key: float(np.mean([s[key] for s in scores])) for key in scores[0]})
            if name not in SEEDED:
                break
        report(name, runs, seconds)


def report(name, runs, seconds):
    result = {"method": name, "runs": len(runs), "seconds a run": round(seconds / len(runs), 2)}
    for key in runs[0]:
        values = [run[key] for run in runs]
        result[key] = round(float(np.mean(values)), 5)
        if len(values) > 1:
            result[f"{key}, deviation"] = round(float(np.std(values, ddof=1)), 5)
    print(json.dumps(result), flush=True)


def label(train, test):
    from sklearn import feature_extraction, linear_model, pipeline
    tags = collections.defaultdict(collections.Counter)
    for sentence in train:
        for word, tag in sentence:
            tags[word][tag] += 1
            tags[None][tag] += 1
    usual = {word: counts.most_common(1)[0][0] for word, counts in tags.items()}
    truth = [tag for sentence in test for _, tag in sentence]

    def share(predicted):
        return {"accuracy": 100 * float(np.mean([p == t for p, t in zip(predicted, truth)]))}

    def features(sentences):
        for sentence in sentences:
            words = ["", *(word for word, _ in sentence), ""]
            for before, word, after in zip(words, words[1:], words[2:]):
                yield {"before": before, "word": word, "after": after, "end": word[-3:]}
    report("most frequent", [share([usual[None]] * len(truth))], 0)
    report("most frequent tag",
           [share([usual.get(word, usual[None]) for s in test for word, _ in s])], 0)
    start = time.process_time()
    model = pipeline.make_pipeline(feature_extraction.DictVectorizer(),
                                   linear_model.LogisticRegression(max_iter=300))
    model.fit(list(features(train)), [tag for sentence in train for _, tag in sentence])
    predicted = model.predict(list(features(test)))
    report("logistic", [share(predicted)], time.process_time() - start)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=("classify", "regress", "folds", "label"))
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--seeds", type=int, default=5, help="from 0; 5 if left out")
    arguments = parser.parse_args()
    expected = 1 if arguments.task == "folds" else 2
    if len(arguments.files) != expected:
        parser.error(f"{len(arguments.files)} files, expected {expected} for {arguments.task}")
    warnings.filterwarnings("ignore")
    if arguments.task == "label":
        label(*map(read_sentences, arguments.files))
        return
    if arguments.task == "folds":
        values, classes, subjects, recordings = read_watch(*arguments.files)
        folds = (subjects - 1) // 2  # two subjects each
        splits = []
        for fold in range(5):
            inside, outside = np.where(folds != fold)[0], np.where(folds == fold)[0]
            splits.append(([values[i] for i in inside], classes[inside],
                           [values[i] for i in outside], classes[outside], recordings[outside]))
    else:
        (train, targets), (test, truth) = map(read_ts, arguments.files)
        if arguments.task == "regress":
            targets, truth = targets.astype(float), truth.astype(float)
        splits = [(train, targets, test, truth, None)]
    run(splits, range(arguments.seeds))


main()
