// unroll predict: what a model sees in images, or in rows of numbers.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>

#include "app/model_source.h"
#include "app/verbose.h"
#include "app/verbs.h"
#include "core/numerics.h"
#include "data/idx.h"
#include "train/evaluate.h"

namespace unroll::app {
namespace {

struct Flags {
  ModelFlags model;
  VerboseFlag verbose;
  std::string file = "-";
  std::optional<std::int64_t> index;
  bool rows = false, json = false;
};

struct Prediction {
  std::size_t best;
  std::vector<double> probabilities;
};

template <class T>
Prediction softmax(std::span<const T> logits) {
  Prediction result;
  const auto largest = std::ranges::max_element(logits);
  result.best = static_cast<std::size_t>(largest - logits.begin());
  double total = 0;
  for (const T logit : logits) {
    result.probabilities.push_back(numerics::exp(static_cast<double>(logit - *largest)));
    total += result.probabilities.back();
  }
  for (double& p : result.probabilities) p /= total;
  return result;
}

/// One line for a prediction; `label` says of what.
void print_line(const Flags& flags, const char* kind, std::int64_t number, const Prediction& p,
                bool with_all = false) {
  if (flags.json) {
    const nlohmann::ordered_json line = {{"event", "prediction"},
                                         {kind, number},
                                         {"class", p.best},
                                         {"probabilities", p.probabilities}};
    fmt::print("{}\n", line.dump());
  } else {
    fmt::print("{} {}: class {}, probability {:.4f}", kind, number, p.best,
               p.probabilities[p.best]);
    if (with_all) fmt::print(" of {:.4f}", fmt::join(p.probabilities, " "));
    fmt::print("\n");
  }
}

void print_all(const Prediction& p) {
  for (std::size_t c = 0; c < p.probabilities.size(); ++c)
    fmt::print("  class {}: {:.4f}\n", c, p.probabilities[c]);
}

/// A line of numbers, separated by blanks or commas.
std::vector<float> parse_row(std::string_view line, std::int64_t number, std::int64_t expected) {
  std::vector<float> row;
  const char* at = line.data();
  const char* const end = at + line.size();
  const auto is_separator = [](char c) { return c == ' ' || c == ',' || c == '\t' || c == '\r'; };
  for (;;) {
    while (at != end && is_separator(*at)) ++at;
    if (at == end) break;
    float value = 0;
    const auto [after, error] = std::from_chars(at, end, value);
    if (error != std::errc() || (after != end && !is_separator(*after)) || !std::isfinite(value))
      throw FormatError("predict", fmt::format("row {} on stdin: number {} is not a finite number",
                                               number, row.size() + 1));
    row.push_back(value);
    at = after;
  }
  if (static_cast<std::int64_t>(row.size()) != expected)
    throw FormatError("predict", fmt::format("row {} on stdin has {} numbers, the model reads {}",
                                             number, row.size(), expected));
  return row;
}

/// The next line, or false at the end. Never holds more than the longest line allowed.
bool read_line(std::string& line, std::int64_t number) {
  constexpr std::size_t kLongest = 1 << 20;
  line.clear();
  for (int c; (c = std::cin.get()) != std::char_traits<char>::eof();) {
    if (c == '\n') return true;
    if (line.size() == kLongest)
      throw FormatError("predict", fmt::format("row {} on stdin is longer than 1 MB", number));
    line += static_cast<char>(c);
  }
  return !line.empty();
}

/// Reads rows as they come, so that with --rows each is answered at once.
template <class T>
int predict_stdin(const infer::Model<T>& model, const Flags& flags) {
  const spec::ModelSpec& spec = model.description();
  const auto mean = static_cast<float>(spec.input_mean), std = static_cast<float>(spec.input_std);
  infer::Stream<T> stream = model.stream();
  std::vector<T> logits(static_cast<std::size_t>(spec.outputs));
  std::int64_t rows = 0;
  std::string line;
  while (read_line(line, rows + 1)) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    std::vector<float> pixels = parse_row(line, ++rows, spec.input_size);
    // As data::pixel_values: in f32, then widened.
    for (float& pixel : pixels) pixel = (pixel / 255.0f - mean) / std;
    const std::vector<T> row(pixels.begin(), pixels.end());
    stream.step(row, logits);
    if (flags.rows) {
      print_line(flags, "row", rows, softmax<T>(logits));
      std::fflush(stdout);
    }
  }
  if (rows == 0)
    throw FormatError("predict", fmt::format("nothing on stdin; give rows of {} numbers, 0 to 255",
                                             spec.input_size));
  if (flags.rows) return kOk;
  const Prediction p = softmax<T>(logits);
  print_line(flags, "rows", rows, p);
  if (!flags.json) print_all(p);
  return kOk;
}

/// An idx file of images, or one image of it, as a set without labels.
data::Dataset read_images(const std::string& file, std::optional<std::int64_t> index) {
  data::Idx images =
      index ? data::read_idx_image(file, *index) : data::read_idx(file, data::Part::images);
  data::Dataset set;
  set.name = file;
  set.count = index ? 1 : images.shape[0];
  set.rows = images.shape[1];
  set.columns = images.shape[2];
  set.images = std::move(images.values);
  return set;
}

template <class T>
int predict_images(const infer::Model<T>& model, const Flags& flags) {
  const data::Dataset set = read_images(flags.file, flags.index);
  const spec::ModelSpec& spec = model.description();
  std::vector<T> logits(static_cast<std::size_t>(spec.outputs));
  if (flags.rows) {
    const auto inputs = train::inputs_of<T>(spec, set, 0, 1);
    infer::Stream<T> stream = model.stream();
    const auto width = static_cast<std::size_t>(set.columns);
    for (std::int64_t r = 0; r < set.rows; ++r) {
      stream.step(std::span(inputs).subspan(static_cast<std::size_t>(r) * width, width), logits);
      print_line(flags, "row", r + 1, softmax<T>(logits));
    }
    return kOk;
  }
  const std::int64_t first = flags.index.value_or(0);
  for (std::int64_t i = 0; i < set.count; ++i) {
    model.run(train::inputs_of<T>(spec, set, i, 1), 1, static_cast<std::size_t>(set.rows),
              std::span<T>(logits));
    const Prediction p = softmax<T>(logits);
    print_line(flags, "image", first + i, p, !flags.index);
    if (flags.index && !flags.json) print_all(p);
  }
  return kOk;
}

int work(const Flags& flags) {
  const bool from_stdin = flags.file == "-";
  if (from_stdin && flags.index) throw UsageError("--index needs an idx file of images");
  if (!from_stdin && flags.rows && !flags.index)
    throw UsageError("--rows shows one image; say which with --index N");
  flags.verbose.say();
  return load_model(flags.model).run([&]<class T>(const infer::Model<T>& model) {
    return from_stdin ? predict_stdin(model, flags) : predict_images(model, flags);
  });
}

}  // namespace

void add_predict(CLI::App& program, Work& chosen) {
  CLI::App* verb = add_verb(
      program, "predict", "Classify images of an idx file, or rows of pixels (0 to 255) on stdin.",
      "unroll predict runs/mnist-rnn-tuned-seed0 t10k-images-idx3-ubyte.gz --index 0 --rows");
  const auto flags = std::make_shared<Flags>();
  flags->model.add_to(*verb);
  verb->add_option("file", flags->file, "An idx file of images; - or nothing: stdin");
  verb->add_option("--index", flags->index, "Only this image, counted from 0");
  verb->add_flag("--rows", flags->rows, "The prediction after each row read");
  verb->add_flag("--json", flags->json, "Lines of JSON");
  flags->verbose.add_to(*verb);
  verb->callback([flags, &chosen] { chosen = [flags] { return work(*flags); }; });
}

}  // namespace unroll::app
