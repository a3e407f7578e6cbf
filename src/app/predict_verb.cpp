// unroll predict: what a model sees in images, in rows of numbers, or in an array of them.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <optional>
#include <sstream>

#include "app/array_run.h"
#include "app/model_source.h"
#include "app/number_rows.h"
#include "app/predict_images.h"
#include "app/predict_rows.h"
#include "app/verbose.h"
#include "app/verbs.h"
#include "core/file.h"
#include "run/output_file.h"

namespace unroll::app {
namespace {

struct Flags {
  ModelFlags model;
  VerboseFlag verbose;
  std::string file = "-", out;
  std::optional<std::int64_t> index;
  bool rows = false, json = false;
};

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
  const PredictionPrinter print{flags.json};
  if (kind == Kind::images) {
    predict_images(loaded, {flags.file, flags.index, flags.rows}, print);
  } else if (kind == Kind::text) {
    std::istringstream text = open_text(flags.file);
    predict_rows(loaded, {text, "in " + flags.file}, flags.rows, print);
  } else {
    predict_rows(loaded, {std::cin, "on stdin"}, flags.rows, print);
  }
  return kOk;
}

}  // namespace

void add_predict(Verb& program) {
  Verb verb = program.add(
      "predict",
      "Classify images of an idx file, or rows of pixels (0 to 255) on stdin or in a .csv; or run "
      "on a .npy or a .csv.",
      "unroll predict runs/mnist-rnn-tuned-seed0 t10k-images-idx3-ubyte.gz --index 0 --rows");
  const auto flags = std::make_shared<Flags>();
  flags->model.add_to(verb);
  verb.option("file", flags->file,
              "An idx file of images; - or nothing: stdin; inputs (N, T, I) in a .npy; or rows "
              "of numbers in a .csv, .tsv or .txt");
  verb.option("--out", flags->out,
              "Write the outputs for the inputs in a .npy, or for the steps of one sequence in "
              "a .csv, to this .npy file; neither is scaled");
  verb.option("--index", flags->index, "Only this image, counted from 0");
  verb.flag("--rows", flags->rows, "The prediction after each row read");
  verb.flag("--json", flags->json, "Lines of JSON");
  flags->verbose.add_to(verb);
  verb.set_work([flags] { return work(*flags); });
}

}  // namespace unroll::app
