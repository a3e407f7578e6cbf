// unroll eval: tests a model on a data set.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "app/commands.h"
#include "app/data_flags.h"
#include "app/data_set_names.h"
#include "app/eval_by.h"
#include "app/json_line.h"
#include "app/messages.h"
#include "app/model_source.h"
#include "app/result_text.h"
#include "app/run_data.h"
#include "app/verbose.h"
#include "core/file.h"
#include "core/printable.h"
#include "core/shell_word.h"
#include "data/catalogue.h"
#include "data/source_traits.h"
#include "run/metrics.h"
#include "run/output_file.h"
#include "run/prediction_table.h"
#include "train/baselines.h"
#include "train/evaluate.h"
#include "unroll/core/threads.h"
#include "unroll/io/npy.h"

namespace unroll::app {
namespace {

struct EvalFlags {
  ModelFlags model;
  DataFlags data;
  TableFlags table;
  VerboseFlag verbose;
  std::string dataset, logits, predictions, by;
  int threads = 0;
  bool json = false;
};

struct Results {
  train::Evaluation all;
  std::vector<ResultOfValue> by;  // each value of the column --by
};

/// Those of series; empty for others, whose classes are digits.
std::vector<std::string> names_of_classes(const train::Evaluation& e, const data::Source& source) {
  return e.detailed ? source.target().names : std::vector<std::string>();
}

/// `names` of the classes, or none.
void add_classes(nlohmann::ordered_json& line, const train::ConfusionMatrix& matrix,
                 const std::vector<std::string>& names) {
  auto& classes = line["classes"] = nlohmann::ordered_json::array();
  auto& confusion = line["confusion"] = nlohmann::ordered_json::array();
  for (std::int64_t c = 0; c < matrix.classes; ++c) {
    const auto s = matrix.scores(c);
    classes.push_back({{"class", c},
                       {"precision", s.precision},
                       {"recall", s.recall},
                       {"f1", s.f1},
                       {"count", s.count}});
    if (!names.empty()) classes.back()["name"] = names[static_cast<std::size_t>(c)];
    auto row = nlohmann::ordered_json::array();
    for (std::int64_t p = 0; p < matrix.classes; ++p) row.push_back(matrix.at(c, p));
    confusion.push_back(row);
  }
}

/// One line of JSON. A classifier adds the scores of each class and the confusion matrix.
void print_json(const Results& results, const std::string& by, const data::Source& source) {
  const train::Evaluation& e = results.all;
  nlohmann::ordered_json line = {{"event", "eval"}, {"dataset", source.name()}};
  run::add_metrics(line, e);
  line["loss"] = e.loss;
  if (e.confusion) add_classes(line, *e.confusion, names_of_classes(e, source));
  if (!by.empty()) add_results_by(line, by, results.by);
  fmt::print("{}\n", json_line(line));
}

/// The scores of each class, and the confusion matrix. `names` of the classes, or none.
void print_classes(const train::ConfusionMatrix& matrix, const std::vector<std::string>& names) {
  fmt::print("class  precision   recall       F1   count{}\n", names.empty() ? "" : "  name");
  for (std::int64_t c = 0; c < matrix.classes; ++c) {
    const auto s = matrix.scores(c);
    fmt::print("{:>5}  {:>9.4f}  {:>7.4f}  {:>7.4f}  {:>6}{}\n", c, s.precision, s.recall, s.f1,
               s.count, names.empty() ? "" : "  " + printable(names[static_cast<std::size_t>(c)]));
  }
  fmt::print("\nconfusion matrix (rows: the true class, columns: the predicted one)\n     ");
  for (std::int64_t p = 0; p < matrix.classes; ++p) fmt::print(" {:>5}", p);
  fmt::print("\n");
  for (std::int64_t c = 0; c < matrix.classes; ++c) {
    fmt::print("{:>5}", c);
    for (std::int64_t p = 0; p < matrix.classes; ++p) fmt::print(" {:>5}", matrix.at(c, p));
    fmt::print("\n");
  }
}

/// "1000 sequences of 100 steps"
std::string tested(const data::Source& source) {
  const std::int64_t count = source.size(data::Split::test);
  const spec::InputSpec input = source.input();
  if (!spec::is_sequence(input)) return fmt::format("{} samples", count);
  if (spec::steps_of(input) == 0) return fmt::format("{} sequences", count);
  return fmt::format("{} sequences of {} steps", count, spec::steps_of(input));
}

std::string text_of(const train::Metric& m, std::string_view counted) {
  if (!m.is_share()) return fmt::format("{} {:.6f}", m.name, m.value);
  return fmt::format("{} {:.2f} % ({} of {} {})", m.name, m.value, m.correct, m.total, counted);
}

void print_text(const Results& results, const std::string& by, const data::Source& source) {
  const train::Evaluation& e = results.all;
  const std::string name = printable(source.name());
  if (e.detailed) {
    fmt::print("{}, {}\n", name, tested(source));
    for (const std::string& line : result_lines(e)) fmt::print("{}\n", line);
    if (!by.empty()) fmt::print("\n{}", text_by(by, results.by));
    if (!e.confusion) return;
    fmt::print("\n");
    return print_classes(*e.confusion, names_of_classes(e, source));
  }
  if (e.confusion) {
    fmt::print("{}: {}, loss {:.4f}\n\n", name, text_of(e.accuracy(), "correct"), e.loss);
    return print_classes(*e.confusion, {});
  }
  fmt::print("{}, {}: {} {:.6f}", name, tested(source), e.loss_name, e.loss);
  for (const train::Metric& m : e.metrics) fmt::print(", {}", text_of(m, m.counted));
  fmt::print("\n");
}

/// The data that the model is tested on: what was named, else what it was trained on.
std::shared_ptr<const data::Source> source_for(const EvalFlags& flags, LoadedModel& loaded) {
  if (loaded.spec.table && flags.dataset.empty()) return data_of_run(loaded, flags.data, flags.by);
  const std::string dataset = flags.dataset.empty() ? loaded.dataset() : flags.dataset;
  const data::SourceTraits& traits = data::source_traits(dataset);
  // The model knows the name of a user's data set, but not its place.
  const bool unknown = flags.dataset.empty() && !traits.endless && !data::find_known_set(dataset);
  if (unknown && !spec::pixels_of(loaded.spec.input))
    throw UsageError(
        fmt::format("the model was trained on data called {}; name its file: unroll eval {} FILE",
                    dataset, shell_word(flags.model.path)));
  if (traits.pixels) take_images(loaded);
  if (unknown)
    throw UsageError(
        fmt::format("the model was trained on a folder called {}; name the folder: "
                    "unroll eval {} FOLDER",
                    dataset, shell_word(flags.model.path)));
  data::SourceOptions options = loaded.source_options();
  flags.table.apply_to(options.series);
  options.by = flags.by;
  auto source = flags.data.open(dataset, options);
  if (traits.series && source->target().size == 0)
    throw UsageError(
        fmt::format("{} has no column {}, which the model predicts; predict it with: "
                    "unroll predict {} {}",
                    dataset, fmt::join(loaded.spec.table->target, ", "),
                    shell_word(flags.model.path), shell_word(dataset)));
  return source;
}

/// The SHA-256 of each file of series in the object `data` of config.json.
std::set<std::string> hashes_of_files(const std::string& facts) {
  std::set<std::string> hashes;
  if (facts.empty()) return hashes;
  const auto object = nlohmann::json::parse(facts);
  for (const auto& file : object.value("files", nlohmann::json::array()))
    hashes.insert(file.value("sha256", ""));
  return hashes;
}

/// Says so if a named file is one of the training: all its series are tested.
void note_seen_file(const EvalFlags& flags, const data::Source& source,
                    const report::RunRecord& run) {
  const auto seen = hashes_of_files(run.provenance.facts);
  for (const std::string& hash : hashes_of_files(source.facts()))
    if (seen.contains(hash))
      return say_note(
          fmt::format("the model was trained with {}: this tests all its series, those of the "
                      "training included; the test part alone: unroll eval {}",
                      printable(flags.dataset), shell_word(flags.model.path)));
}

/// Tests the model, and writes what was asked for.
template <class T>
Results tested_model(const infer::Model<T>& model, const data::Source& source,
                     const EvalFlags& flags, train::ValueLoss of_values) {
  std::vector<T> logits;
  train::Evaluation e = train::evaluate<T>(model, source, data::Split::test, &logits, of_values);
  if (!flags.logits.empty())
    io::write_npy(flags.logits,
                  {source.size(data::Split::test), static_cast<std::int64_t>(model.outputs())},
                  std::span<const T>(logits));
  if (!flags.predictions.empty())
    write_file("eval", flags.predictions,
               std::string_view(run::prediction_table(model, source, data::Split::test)));
  if (e.detailed && source.size(data::Split::train) > 0)
    e.baselines = train::baselines(source, data::Split::test);
  Results results{.all = std::move(e), .by = {}};
  if (!flags.by.empty()) results.by = results_by(model, source, of_values);
  return results;
}

int work(const EvalFlags& flags) {
  for (const std::string& out : {flags.logits, flags.predictions})
    if (!out.empty()) run::check_output(out, {flags.model.path, flags.dataset});
  LoadedModel loaded = load_model(flags.model);
  set_num_threads(flags.threads);
  flags.verbose.say();
  if (!flags.predictions.empty() && !loaded.spec.table)
    throw UsageError("--predictions is for models of series; leave it out, or use unroll predict");
  if (!flags.by.empty() && !loaded.spec.table)
    throw UsageError("--by is for models of series; leave it out");
  const auto source = source_for(flags, loaded);
  if (!flags.logits.empty() && source->target().kind != data::TargetSpec::Kind::classes)
    throw UsageError(
        fmt::format("--logits needs classes, {} has none; leave it out", source->name()));
  std::optional<report::RunRecord> run;
  if (loaded.spec.table) run = run_of(loaded);
  const train::ValueLoss of_values = run ? run->config.loss : train::ValueLoss::mse;
  const Results results = loaded.run([&]<class T>(const infer::Model<T>& model) {
    return tested_model(model, *source, flags, of_values);
  });
  (flags.json ? print_json : print_text)(results, flags.by, *source);
  tell_note(*source);
  if (run && !flags.dataset.empty()) note_seen_file(flags, *source, *run);
  return kOk;
}

}  // namespace

void add_eval(Command& program) {
  Command command = program.add("eval", "Test a model: accuracy, loss, and scores of each class",
                                "unroll eval runs/mnist-rnn-tuned-seed0");
  const auto flags = std::make_shared<EvalFlags>();
  flags->model.add_to(command);
  command
      .option("dataset", flags->dataset,
              fmt::format("Data set: {}, a folder, or a file of series. Default: the test part of "
                          "the training's data",
                          fmt::join(data_set_names(), ", ")))
      .file("DATASET")
      .offers(data_set_names());
  flags->data.add_to(command);
  flags->table.add_to(command);
  command.option("--logits", flags->logits, "Write the logits to this .npy file").file();
  command
      .option("--predictions", flags->predictions,
              "Write the predictions to this .csv file (series)")
      .file();
  command.option("--by", flags->by,
                 "Show the results for each value of this column, such as a subject (series)");
  command.option("--threads", flags->threads, kThreadsHelp);
  command.flag("--json", flags->json, "Print one line of JSON");
  flags->verbose.add_to(command);
  command.set_work([flags] { return work(*flags); });
}

}  // namespace unroll::app
