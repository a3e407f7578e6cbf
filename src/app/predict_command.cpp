// unroll predict: what a model says of samples of a data set, images, rows of numbers, or an array.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <optional>

#include "app/commands.h"
#include "app/data_flags.h"
#include "app/data_set_names.h"
#include "app/model_source.h"
#include "app/number_rows.h"
#include "app/predict_array.h"
#include "app/predict_rows.h"
#include "app/predict_samples.h"
#include "app/predict_series.h"
#include "app/verbose.h"
#include "core/printable.h"
#include "data/catalogue.h"
#include "data/image_file.h"
#include "data/source_traits.h"
#include "run/output_file.h"
#include "unroll/core/error.h"

namespace unroll::app {
namespace {

struct PredictFlags {
  ModelFlags model;
  DataFlags data;
  TableFlags table;
  VerboseFlag verbose;
  std::string file = "-", out;
  std::optional<std::int64_t> index;
  bool rows = false, json = false;
};

/// What predict reads.
enum class Kind { array, text, image_file, data_set, stdin_rows };

Kind kind_of(const std::string& file) {
  if (file == "-") return Kind::stdin_rows;
  std::error_code ignored;
  // Files of series are read before this, if the model reads series. Others read rows of numbers.
  const data::SourceTraits& traits = data::source_traits(file);
  if (data::find_known_set(file) || (!traits.name.empty() && !traits.series) ||
      std::filesystem::is_directory(file, ignored))
    return Kind::data_set;
  std::string ending = std::filesystem::path(file).extension();
  std::ranges::transform(ending, ending.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (ending == ".npy") return Kind::array;
  return ending == ".csv" || ending == ".tsv" || ending == ".txt" ? Kind::text : Kind::image_file;
}

void check_predict_usage(const PredictFlags& flags, Kind kind) {
  const bool others = flags.index || flags.rows || flags.json;
  if (kind == Kind::array && (flags.out.empty() || others))
    throw UsageError("a .npy of inputs needs --out FILE.npy and takes no other flag");
  if (!flags.out.empty() && ((kind != Kind::array && kind != Kind::text) || others))
    throw UsageError("--out is for inputs in a .npy or a .csv, and goes with no other flag");
  const bool samples = kind == Kind::image_file || kind == Kind::data_set;
  if (!samples && flags.index)
    throw UsageError("--index needs a data set or an idx file of images");
  if (samples && flags.rows && !flags.index)
    throw UsageError("--rows shows one sample; say which with --index N");
  if (!flags.out.empty()) run::check_output(flags.out, {flags.file, flags.model.path});
}

/// The data set or the file of images that was named.
void predict_from(const PredictFlags& flags, Kind kind, const LoadedModel& loaded,
                  const PredictionPrinter& print) {
  if (kind == Kind::image_file) {
    const auto images =
        data::image_file(flags.file, flags.index, std::get<spec::ImageInput>(loaded.spec.input));
    return predict_samples(loaded,
                           {.source = *images,
                            .count = images->size(data::Split::test),
                            .number = flags.index.value_or(0),
                            .alone = flags.index.has_value(),
                            .steps = flags.rows},
                           print);
  }
  const auto source = flags.data.open(flags.file, loaded.source_options());
  const std::int64_t size = source->size(data::Split::test), index = flags.index.value_or(0);
  if (index < 0 || index >= size)
    throw ValueError("predict", fmt::format("--index {}, {} has test samples 0 to {}", index,
                                            printable(source->name()), size - 1));
  predict_samples(loaded,
                  {.source = *source,
                   .first = index,
                   .count = flags.index ? 1 : size,
                   .number = index,
                   .alone = flags.index.has_value(),
                   .steps = flags.rows},
                  print);
  tell_note(*source);
}

/// Whether it may be series of a model that reads them.
bool may_be_series(const std::string& file) {
  return file == "-" || data::source_traits(file).series;
}

/// Throws UsageError for a model that answers windows.
void need_answers_at_steps(const LoadedModel& loaded) {
  if (loaded.spec.table->window > 0)
    throw UsageError(
        fmt::format("--every-step: the model reads windows of {} steps, and answers each as a "
                    "whole; leave it out",
                    loaded.spec.table->window));
}

/// A file of series, or their lines on stdin.
int predict_from_series(const PredictFlags& flags, const LoadedModel& loaded) {
  flags.verbose.say();
  if (flags.index) throw UsageError("--index is for data sets of images; leave it out");
  if (flags.rows) need_answers_at_steps(loaded);
  if (flags.file != "-") {
    if (flags.out.ends_with(".npy") && (flags.rows || flags.json))
      throw UsageError(
          fmt::format("--out {} gets one row of outputs for each series; leave --every-step and "
                      "--json out, or name a .csv",
                      flags.out));
    if (!flags.out.empty()) run::check_output(flags.out, {flags.file, flags.model.path});
    predict_series(loaded, flags.data,
                   {flags.file, flags.out, flags.rows, flags.json, flags.table});
    return kOk;
  }
  if (!flags.out.empty())
    throw UsageError("the answers to stdin go to stdout at once; leave --out out");
  predict_lines(loaded, flags.table, std::cin, flags.json);
  return kOk;
}

int work(const PredictFlags& flags) {
  const Kind kind = kind_of(flags.file);
  std::optional<LoadedModel> early;
  if (may_be_series(flags.file)) early = load_model(flags.model);
  if (early && early->spec.table) return predict_from_series(flags, *early);
  check_predict_usage(flags, kind);
  flags.verbose.say();
  LoadedModel loaded = early ? std::move(*early) : load_model(flags.model);
  if (!flags.out.empty()) {
    predict_array(loaded, flags.file, kind == Kind::text, flags.out);
    return kOk;
  }
  const PredictionPrinter print{flags.json, loaded.spec.classes};
  if (kind == Kind::image_file || kind == Kind::data_set) {
    if (kind == Kind::image_file || data::source_traits(flags.file).pixels) take_images(loaded);
    predict_from(flags, kind, loaded, print);
    return kOk;
  }
  need_pixels(loaded);
  if (kind == Kind::text) {
    std::istringstream text = open_number_text(flags.file);
    predict_rows(loaded, {text, "in " + flags.file}, flags.rows, print);
  } else {
    predict_rows(loaded, {std::cin, "on stdin"}, flags.rows, print);
  }
  return kOk;
}

}  // namespace

void add_predict(Command& program) {
  Command command =
      program.add("predict", "Run a model on test samples, images, rows of numbers, or an array",
                  "unroll predict runs/mnist-rnn-tuned-seed0 mnist --index 0 --rows");
  const auto flags = std::make_shared<PredictFlags>();
  flags->model.add_to(command);
  command
      .option(
          "file", flags->file,
          "Data set (mnist, a folder, adding, ...) or file (idx images, .npy, .csv, .tsv, "
          ".txt; series: also .ts, .npz). A .npy has shape (N, T, I). Default -: lines on stdin, "
          "rows of pixels (0 to 255) or of a table")
      .file("FILE")
      .offers(data_set_names());
  flags->data.add_to(command);
  flags->table.add_to(command);
  command
      .option(
          "--out", flags->out,
          "Write the outputs for a .npy or .csv to this .npy file. Nothing is scaled: pixels, too, "
          "are read as they are. Series: a .csv of predictions, or a .npy")
      .file();
  command.option("--index", flags->index, "Only this test sample, counted from 0");
  command.flag("--rows,--every-step", flags->rows, "Print a prediction after every step");
  command.flag("--json", flags->json, "One line of JSON for each prediction");
  flags->verbose.add_to(command);
  command.set_work([flags] { return work(*flags); });
}

}  // namespace unroll::app
