#!/usr/bin/env bash
# pictures.sh PROGRAM [FOLDER]: makes the pictures of docs/images anew, from runs of PROGRAM. The runs are kept in
# FOLDER, or in a temporary folder: a few minutes. Needs python3 with venv, node, and MNIST; for the pictures of a
# report also the Debian packages chromium and chromium-driver. PYTHON_TORCH names a Python with unroll, torch and
# gymnasium, for the picture of docs/python.md.
set -euo pipefail
unset CDPATH

UNROLL=$(realpath -- "$1")
export UNROLL
runs=${2:-$(mktemp -d)}
mkdir -p "$runs"
runs=$(realpath -- "$runs")
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

# train NAME FLAGS...: a run that exists is kept. A run that diverges is part of the tutorial.
train() {
  local name=$1
  shift
  if [[ ! -e $runs/$name/manifest.json ]]; then
    echo "pictures.sh: unroll train $*"
    "$UNROLL" train "$@" --out "$runs/$name" --quiet || [[ $name == explodes ]]
  fi
}

# The runs of docs/tutorial, and some more.
tuned=mnist-rnn-tuned-seed0  # a picture of its report has this name
train "$tuned" mnist
train start mnist --steps 1
train logistic mnist --model logistic --steps 1
train fnn mnist --model fnn --steps 1
train explodes mnist --recipe tutorial --seed 1
train clipped mnist --recipe tutorial --seed 1 --clip-norm 1
sprint=(mnist --recipe sprint --eval-every 100)
train sprint "${sprint[@]}"
train tanh "${sprint[@]}" --activation tanh
train two "${sprint[@]}" --layers 2
train lstm "${sprint[@]}" --model lstm
train gru "${sprint[@]}" --model gru
adding=(adding --hidden 32 --steps 2000)
train adding-tanh "${adding[@]}" --model rnn --activation tanh --init torch
train adding-lstm "${adding[@]}" --model lstm
train adding-gru "${adding[@]}" --model gru
# Gradients over 200 steps, before training changes them.
long=(adding --length 200 --steps 1)
train long-tanh "${long[@]}" --model rnn --activation tanh --init torch
train long-identity "${long[@]}" --model rnn --init identity
train long-lstm "${long[@]}" --model lstm
train long-lstm-5 "${long[@]}" --model lstm --forget-bias 5
train long-gru "${long[@]}" --model gru

images=docs/images
mkdir -p "$images"
"$UNROLL" inspect "$runs/logistic" --svg "$images/tutorial-logistic.svg" >/dev/null
"$UNROLL" inspect "$runs/fnn" --svg "$images/tutorial-fnn.svg" >/dev/null
"$UNROLL" inspect "$runs/$tuned" --svg "$images/tutorial-unrolled.svg" >/dev/null
"$UNROLL" inspect "$runs/two" --svg "$images/tutorial-two-layers.svg" >/dev/null
PYTHONDONTWRITEBYTECODE=1 python3 scripts/pictures/make.py "$runs" "$images"

venv=$runs/venv
if [[ ! -x $venv/bin/python ]]; then python3 -m venv "$venv"; fi
"$venv/bin/pip" -q install -r scripts/pictures/requirements.txt
# The terminal of README.md. The program's folder must have it under the name unroll.
PATH=$(dirname -- "$UNROLL"):$PATH "$venv/bin/python" scripts/record_terminal.py "$images/terminal.svg" --size 106x24 \
  --title "A terminal: unroll trains a network, classifies a digit and writes a report" \
  "unroll train mnist --recipe sprint" \
  "unroll predict runs/mnist-rnn-sprint-seed0 mnist --index 0 --rows | tail -n 3" \
  "unroll report runs/mnist-rnn-sprint-seed0"

if [[ -x ${CHROMIUM:-/usr/bin/chromium} && -x ${CHROMEDRIVER:-/usr/bin/chromedriver} ]]; then
  PYTHONDONTWRITEBYTECODE=1 "$venv/bin/python" scripts/report_pictures.py "$UNROLL" "$runs/$tuned" "$images"
else
  echo "pictures.sh: the pictures of a report stay as they are: install chromium and chromium-driver" >&2
fi

if [[ -n ${PYTHON_TORCH-} ]]; then
  for seed in 0 1 2; do
    "$PYTHON_TORCH" examples/rl.py --seed "$seed" --curve "$runs/gru-$seed.csv"
    "$PYTHON_TORCH" examples/rl.py --seed "$seed" --no-memory --curve "$runs/none-$seed.csv"
  done
  PYTHONDONTWRITEBYTECODE=1 python3 scripts/pictures/policy.py "$images/python-cartpole.svg" "$runs"/{gru,none}-?.csv
else
  echo "pictures.sh: python-cartpole.svg stays as it is: name a Python with torch in PYTHON_TORCH" >&2
fi
