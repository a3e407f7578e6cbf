// unroll predict: what a model sees in images, in rows of numbers, or in an array of them.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "app/array_run.h"
#include "app/model_source.h"
#include "app/number_rows.h"
#include "app/verbose.h"
#include "app/verbs.h"
#include "core/file.h"
#include "core/numerics.h"
#include "data/idx.h"
#include "run/output_file.h"
#include "train/inputs.h"
#include "unroll/infer/stream.h"

namespace unroll::app {
namespace {

struct Flags {
  ModelFlags model;
  VerboseFlag verbose;
  std::string file = "-", out;
  std::optional<std::int64_t> index;
  bool rows = false, json = false;
};

struct Prediction {
  std::size_t best;
  std::vector<double> values;  // probabilities, or the scores as they are
  bool scores;

  const char* name() const { return scores ? "score" : "probability"; }
};

template <class T>
Prediction prediction_of(spec::Output kind, std::span<const T> outputs) {
  const auto largest = std::ranges::max_element(outputs);
  Prediction result{
      static_cast<std::size_t>(largest - outputs.begin()), {}, kind == spec::Output::scores};
  if (result.scores) {
    result.values.assign(outputs.begin(), outputs.end());
    return result;
  }
  double total = 0;
  for (const T logit : outputs) {
    result.values.push_back(numerics::exp(static_cast<double>(logit - *largest)));
    total += result.values.back();
  }
  for (double& p : result.values) p /= total;
  return result;
}

/// One line for a prediction; `label` says of what.
void print_line(const Flags& flags, const char* kind, std::int64_t number, const Prediction& p,
                bool with_all = false) {
  if (flags.json) {
    const nlohmann::ordered_json line = {{"event", "prediction"},
                                         {kind, number},
                                         {"class", p.best},
                                         {p.scores ? "scores" : "probabilities", p.values}};
    fmt::print("{}\n", line.dump());
  } else {
    fmt::print("{} {}: class {}, {} {:.4f}", kind, number, p.best, p.name(), p.values[p.best]);
    if (with_all) fmt::print(" of {:.4f}", fmt::join(p.values, " "));
    fmt::print("\n");
  }
}

void print_all(const Prediction& p) {
  for (std::size_t c = 0; c < p.values.size(); ++c)
    fmt::print("  class {}: {:.4f}\n", c, p.values[c]);
}

/// As data::pixel_values: in f32, then widened.
template <class T>
std::vector<T> scaled(std::vector<float> pixels, const spec::InputSpec& input) {
  const auto mean = static_cast<float>(input.mean), std = static_cast<float>(input.std);
  for (float& pixel : pixels) pixel = (pixel / 255.0f - mean) / std;
  return {pixels.begin(), pixels.end()};
}

/// Rows of pixels: those on stdin, or in a text file.
struct Rows {
  std::istream& stream;
  std::string source;

  [[noreturn]] void refuse_empty(std::int64_t numbers) const {
    throw FormatError(
        "predict", fmt::format("nothing {}; give rows of {} numbers, 0 to 255", source, numbers));
  }
};

void print_whole(const Flags& flags, std::int64_t rows, const Prediction& p) {
  print_line(flags, "rows", rows, p);
  if (!flags.json) print_all(p);
}

/// Reads rows as they come, so that with --rows each is answered at once.
template <class T>
int predict_stream(const infer::Model<T>& model, const Rows& from, const Flags& flags) {
  const spec::ModelSpec& spec = model.description();
  const auto width = static_cast<std::int64_t>(model.inputs());
  infer::Stream<T> stream = model.stream();
  std::vector<T> outputs(model.outputs());
  NumberRows<float> rows(from.stream, from.source, width);
  for (std::vector<float> row; rows.next(row);) {
    stream.step(scaled<T>(std::move(row), spec.input), outputs);
    if (!flags.rows) continue;
    print_line(flags, "row", rows.count(), prediction_of<T>(spec.output, outputs));
    std::fflush(stdout);
  }
  if (rows.count() == 0) from.refuse_empty(width);
  if (!flags.rows) print_whole(flags, rows.count(), prediction_of<T>(spec.output, outputs));
  return kOk;
}

/// Why a model must see all of an image before it can say anything; empty where it need not.
std::string_view why_whole(const spec::ModelSpec& spec) {
  if (!spec.input.is_sequence()) return "it reads no sequences";
  if (spec.input.permutation) return "it reads the pixels in another order";
  for (const auto& layer : spec.layers)
    if (const auto* r = std::get_if<spec::RecurrentSpec>(&layer); r && r->bidirectional)
      return "it is bidirectional";
  return {};
}

template <class T>
int predict_whole(const infer::Model<T>& model, const Rows& from, const Flags& flags) {
  const spec::ModelSpec& spec = model.description();
  const bool by_rows = spec.input.form == spec::Form::rows;
  std::vector<float> pixels;
  NumberRows<float> reader(from.stream, from.source,
                           by_rows ? std::optional(spec.input.width) : std::nullopt);
  for (std::vector<float> row; reader.next(row);) {
    constexpr std::size_t kMost = std::size_t{1} << 26;
    if (pixels.size() > kMost)
      throw FormatError("predict", fmt::format("more than {} numbers {}", kMost, from.source));
    pixels.insert(pixels.end(), row.begin(), row.end());
  }
  const std::int64_t rows = reader.count();
  const auto given = static_cast<std::int64_t>(pixels.size());
  const bool any_size = spec.input.is_sequence() && !spec.input.permutation;
  const std::int64_t expected =
      any_size ? given : std::max(spec.input.height, std::int64_t{1}) * spec.input.width;
  if (rows == 0) from.refuse_empty(by_rows ? spec.input.width : expected);
  if (given != expected)
    throw FormatError(
        "predict", fmt::format("{} numbers {}, the model reads {}", given, from.source, expected));
  const std::int64_t width = any_size ? given / rows : spec.input.width;
  const train::Inputs images(spec.input, any_size ? rows : spec.input.height, width);
  images.permute(pixels);
  std::vector<T> outputs(model.outputs());
  model.run(scaled<T>(std::move(pixels), spec.input), 1, static_cast<std::size_t>(images.steps()),
            std::span<T>(outputs));
  print_whole(flags, rows, prediction_of<T>(spec.output, outputs));
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
  const train::Inputs images(spec.input, set.rows, set.columns);
  const auto steps = static_cast<std::size_t>(images.steps());
  std::vector<T> inputs(static_cast<std::size_t>(images.size())), outputs(model.outputs());
  if (flags.rows) {
    images.fill<T>(set, 0, inputs);
    infer::Stream<T> stream = model.stream();
    const std::size_t width = model.inputs();
    for (std::size_t t = 0; t < steps; ++t) {
      stream.step(std::span(inputs).subspan(t * width, width), outputs);
      print_line(flags, spec.input.form == spec::Form::pixels ? "pixel" : "row",
                 static_cast<std::int64_t>(t + 1), prediction_of<T>(spec.output, outputs));
    }
    return kOk;
  }
  const std::int64_t first = flags.index.value_or(0);
  for (std::int64_t i = 0; i < set.count; ++i) {
    images.fill<T>(set, i, inputs);
    model.run(inputs, 1, steps, std::span<T>(outputs));
    const Prediction p = prediction_of<T>(spec.output, outputs);
    print_line(flags, "image", first + i, p, !flags.index);
    if (flags.index && !flags.json) print_all(p);
  }
  return kOk;
}

/// A text file of numbers.
std::istringstream open_text(const std::string& path) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 30;
  return std::istringstream(read_text("predict", path, kMost));
}

/// Rows of a text file as an array: the steps of one sequence, or one input a row.
io::NpyArray array_of_rows(const std::string& path, std::size_t numbers) {
  std::istringstream text = open_text(path);
  NumberRows<double> rows(text, "in " + path, static_cast<std::int64_t>(numbers));
  io::NpyArray array{io::ElementType::f64, {}, {}};
  for (std::vector<double> row; rows.next(row);) {
    const auto bytes = std::as_bytes(std::span(row));
    array.data.insert(array.data.end(), bytes.begin(), bytes.end());
  }
  array.shape = {rows.count(), static_cast<std::int64_t>(numbers)};
  return array;
}

/// What predict reads.
enum class Kind { array, text, images, stdin_rows };

Kind kind_of(const std::string& file) {
  if (file == "-") return Kind::stdin_rows;
  std::string ending = std::filesystem::path(file).extension();
  std::ranges::transform(ending, ending.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (ending == ".npy") return Kind::array;
  return ending == ".csv" || ending == ".tsv" || ending == ".txt" ? Kind::text : Kind::images;
}

/// Inputs of a .npy or a text file as they are, outputs as they come, to a .npy.
int predict_array(const LoadedModel& loaded, Kind kind, const Flags& flags) {
  loaded.run([&]<class T>(const infer::Model<T>& model) {
    const io::NpyArray input =
        kind == Kind::text ? array_of_rows(flags.file, model.inputs()) : io::read_npy(flags.file);
    const Outputs<T> outputs = run_array(model, input);
    io::write_npy(flags.out, outputs.shape, std::span<const T>(outputs.values));
  });
  return kOk;
}

/// Rows of pixels in a text file or on stdin.
int predict_rows(const LoadedModel& loaded, const Rows& rows, const Flags& flags) {
  return loaded.run([&]<class T>(const infer::Model<T>& model) {
    const std::string_view why = why_whole(model.description());
    if (why.empty()) return predict_stream(model, rows, flags);
    if (flags.rows)
      throw UsageError(fmt::format("--rows: the model needs a whole image, because {}", why));
    return predict_whole(model, rows, flags);
  });
}

void check_usage(const Flags& flags, Kind kind) {
  const bool others = flags.index || flags.rows || flags.json;
  if (kind == Kind::array && (flags.out.empty() || others))
    throw UsageError("a .npy of inputs needs --out FILE.npy and takes no other flag");
  if (!flags.out.empty() && ((kind != Kind::array && kind != Kind::text) || others))
    throw UsageError("--out is for inputs in a .npy or a .csv, and goes with no other flag");
  if (kind != Kind::images && flags.index) throw UsageError("--index needs an idx file of images");
  if (kind == Kind::images && flags.rows && !flags.index)
    throw UsageError("--rows shows one image; say which with --index N");
  if (!flags.out.empty()) run::check_output(flags.out, {flags.file, flags.model.path});
}

int work(const Flags& flags) {
  const Kind kind = kind_of(flags.file);
  check_usage(flags, kind);
  flags.verbose.say();
  LoadedModel loaded = load_model(flags.model);
  if (!flags.out.empty()) return predict_array(loaded, kind, flags);
  kind == Kind::images ? take_images(loaded) : need_pixels(loaded);
  if (kind == Kind::stdin_rows) return predict_rows(loaded, {std::cin, "on stdin"}, flags);
  if (kind == Kind::text) {
    std::istringstream text = open_text(flags.file);
    return predict_rows(loaded, {text, "in " + flags.file}, flags);
  }
  return loaded.run(
      [&]<class T>(const infer::Model<T>& model) { return predict_images(model, flags); });
}

}  // namespace

void add_predict(CLI::App& program, Work& chosen) {
  CLI::App* verb = add_verb(
      program, "predict",
      "Classify images of an idx file, or rows of pixels (0 to 255) on stdin or in a .csv; or run "
      "on a .npy or a .csv.",
      "unroll predict runs/mnist-rnn-tuned-seed0 t10k-images-idx3-ubyte.gz --index 0 --rows");
  const auto flags = std::make_shared<Flags>();
  flags->model.add_to(*verb);
  verb->add_option(
      "file", flags->file,
      "An idx file of images; - or nothing: stdin; inputs (N, T, I) in a .npy; or rows "
      "of numbers in a .csv, .tsv or .txt");
  verb->add_option(
      "--out", flags->out,
      "Write the outputs for the inputs in a .npy, or for the steps of one sequence in "
      "a .csv, to this .npy file; neither is scaled");
  verb->add_option("--index", flags->index, "Only this image, counted from 0");
  verb->add_flag("--rows", flags->rows, "The prediction after each row read");
  verb->add_flag("--json", flags->json, "Lines of JSON");
  flags->verbose.add_to(*verb);
  verb->callback([flags, &chosen] { chosen = [flags] { return work(*flags); }; });
}

}  // namespace unroll::app
