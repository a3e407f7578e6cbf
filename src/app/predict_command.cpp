// unroll predict: what a model sees in images, in rows of numbers, or in an array of them.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <optional>

#include "app/model_source.h"
#include "app/number_rows.h"
#include "app/predict_array.h"
#include "app/predict_images.h"
#include "app/predict_rows.h"
#include "app/verbose.h"
#include "app/commands.h"
#include "run/output_file.h"

namespace unroll::app {
namespace {

struct PredictFlags {
  ModelFlags model;
  VerboseFlag verbose;
  std::string file = "-", out;
  std::optional<std::int64_t> index;
  bool rows = false, json = false;
};

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

void check_predict_usage(const PredictFlags& flags, Kind kind) {
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

int work(const PredictFlags& flags) {
  const Kind kind = kind_of(flags.file);
  check_predict_usage(flags, kind);
  flags.verbose.say();
  LoadedModel loaded = load_model(flags.model);
  if (!flags.out.empty()) {
    predict_array(loaded, flags.file, kind == Kind::text, flags.out);
    return kOk;
  }
  kind == Kind::images ? take_images(loaded) : need_pixels(loaded);
  const PredictionPrinter print{flags.json};
  if (kind == Kind::images) {
    predict_images(loaded, {flags.file, flags.index, flags.rows}, print);
  } else if (kind == Kind::text) {
    std::istringstream text = open_number_text(flags.file);
    predict_rows(loaded, {text, "in " + flags.file}, flags.rows, print);
  } else {
    predict_rows(loaded, {std::cin, "on stdin"}, flags.rows, print);
  }
  return kOk;
}

}  // namespace

void add_predict(Command& program) {
  Command command = program.add(
      "predict",
      "Classify images of an idx file, or rows of pixels (0 to 255) on stdin or in a .csv; or run "
      "on a .npy or a .csv.",
      "unroll predict runs/mnist-rnn-tuned-seed0 t10k-images-idx3-ubyte.gz --index 0 --rows");
  const auto flags = std::make_shared<PredictFlags>();
  flags->model.add_to(command);
  command.option("file", flags->file,
              "An idx file of images; - or nothing: stdin; inputs (N, T, I) in a .npy; or rows "
              "of numbers in a .csv, .tsv or .txt");
  command.option("--out", flags->out,
              "Write the outputs for the inputs in a .npy, or for the steps of one sequence in "
              "a .csv, to this .npy file; neither is scaled");
  command.option("--index", flags->index, "Only this image, counted from 0");
  command.flag("--rows", flags->rows, "The prediction after each row read");
  command.flag("--json", flags->json, "Lines of JSON");
  flags->verbose.add_to(command);
  command.set_work([flags] { return work(*flags); });
}

}  // namespace unroll::app
