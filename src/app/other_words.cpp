#include "app/other_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "core/suggest.h"

namespace unroll::app {
namespace {

/// A row counts if `ours` is one of the candidates. Words with a similar spelling, such as epoch,
/// need no row.
constexpr OtherWord kOtherWords[] = {
    // Flags.
    {"learning-rate", "lr"},
    {"lrate", "lr"},
    {"eta", "lr"},
    {"bs", "batch-size"},
    {"minibatch", "batch-size"},
    {"micro-batch-size", "rows-at-once"},
    {"max-epochs", "epochs"},
    {"num-epochs", "epochs"},
    {"iterations", "steps"},
    {"iters", "steps"},
    {"max-steps", "steps"},
    {"num-steps", "steps"},
    {"num-layers", "layers"},
    {"depth", "layers"},
    {"num-units", "hidden"},
    {"units", "hidden"},
    {"nhid", "hidden"},
    {"width", "hidden"},
    {"nonlinearity", "activation"},
    {"arch", "model"},
    {"architecture", "model"},
    {"network", "model"},
    {"rnn-type", "model"},
    {"cell", "model"},
    {"opt", "optimizer"},
    {"solver", "optimizer"},
    {"wd", "weight-decay"},
    {"l2", "weight-decay"},
    {"rho", "beta2"},
    {"clip-grad", "clip-norm"},
    {"gradient-clip", "clip-norm"},
    {"gradient-clip-val", "clip-norm"},
    {"grad-clip", "clip-norm"},
    {"max-grad-norm", "clip-norm"},
    {"max-norm", "clip-norm"},
    {"seq-len", "length"},
    {"seq-length", "length"},
    {"sequence-length", "length"},
    {"random-seed", "seed"},
    {"random-state", "seed"},
    {"manual-seed", "seed"},
    {"workers", "threads"},
    {"num-workers", "threads"},
    {"num-threads", "threads"},
    {"jobs", "threads"},
    {"cores", "threads"},
    {"eval-interval", "eval-every"},
    {"log-interval", "eval-every"},
    {"early-stopping", "patience"},
    {"validation-split", "validate"},
    {"cv", "folds"},
    {"n-splits", "folds"},
    {"grid", "sweep"},
    {"id-column", "series"},
    {"label-column", "target"},
    {"output-dir", "out"},
    {"save", "out"},
    {"save-dir", "out"},
    {"log-dir", "out"},
    {"ckpt", "resume"},
    {"root", "data-dir"},
    {"data-path", "data-dir"},
    {"atol", "tolerance"},
    {"rtol", "relative-tolerance"},
    {"silent", "quiet"},
    // Commands.
    {"fit", "train"},
    {"learn", "train"},
    {"test", "eval"},
    {"validate", "eval"},
    {"infer", "predict"},
    {"inference", "predict"},
    {"classify", "predict"},
    {"show", "inspect"},
    {"summary", "inspect"},
    {"download", "data"},
    {"download", "fetch"},
    {"get", "fetch"},
    {"ls", "list"},
    {"show", "info"},
    {"check", "verify"},
    // Values.
    {"mlp", "fnn"},
    {"convnet", "cnn"},
    {"elman", "rnn"},
    {"simplernn", "rnn"},
    {"logreg", "logistic"},
    {"softmax", "logistic"},
    {"float", "f32"},
    {"float32", "f32"},
    {"double", "f64"},
    {"float64", "f64"},
    {"bfloat16", "bf16"},
    {"glorot", "xavier"},
    {"he", "kaiming"},
    {"warmup", "linear"},
    {"reduce-on-plateau", "plateau"},
    {"numpy", "npz"},
    {"c++", "cpp"},
};

constexpr std::string_view kOfGpus[] = {"gpu", "gpus",    "device",     "cuda",
                                        "mps", "no-cuda", "accelerator"};

}  // namespace

std::span<const OtherWord> other_words() { return kOtherWords; }

std::string suggestion(std::string_view given, std::span<const std::string_view> candidates,
                       std::string_view before) {
  const auto other = std::ranges::find_if(kOtherWords, [&](const OtherWord& word) {
    return same_word(given, word.theirs) &&
           std::ranges::find(candidates, word.ours) != candidates.end();
  });
  const std::string_view found =
      other == std::end(kOtherWords) ? nearest_word(given, candidates) : other->ours;
  return found.empty() ? "" : fmt::format("; did you mean {}{}?", before, found);
}

std::string why_not(std::string_view flag) {
  const bool of_gpus =
      std::ranges::any_of(kOfGpus, [&](std::string_view word) { return same_word(flag, word); });
  return of_gpus ? "Unroll runs on the CPU, leave it out" : "";
}

}  // namespace unroll::app
