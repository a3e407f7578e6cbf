// unroll eval: tests a model on a data set.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/data_flags.h"
#include "app/data_set_names.h"
#include "app/json_line.h"
#include "app/model_source.h"
#include "app/verbose.h"
#include "core/printable.h"
#include "core/shell_word.h"
#include "data/catalogue.h"
#include "data/source_traits.h"
#include "run/metrics.h"
#include "run/output_file.h"
#include "train/evaluate.h"
#include "unroll/core/threads.h"
#include "unroll/io/npy.h"

namespace unroll::app {
namespace {

struct EvalFlags {
  ModelFlags model;
  DataFlags data;
  VerboseFlag verbose;
  std::string dataset, logits;
  int threads = 0;
  bool json = false;
};

void add_classes(nlohmann::ordered_json& line, const train::ConfusionMatrix& matrix) {
  auto& classes = line["classes"] = nlohmann::ordered_json::array();
  auto& confusion = line["confusion"] = nlohmann::ordered_json::array();
  for (std::int64_t c = 0; c < matrix.classes; ++c) {
    const auto s = matrix.scores(c);
    classes.push_back({{"class", c},
                       {"precision", s.precision},
                       {"recall", s.recall},
                       {"f1", s.f1},
                       {"count", s.count}});
    auto row = nlohmann::ordered_json::array();
    for (std::int64_t p = 0; p < matrix.classes; ++p) row.push_back(matrix.at(c, p));
    confusion.push_back(row);
  }
}

/// One line of JSON. A classifier adds the scores of each class and the confusion matrix.
void print_json(const train::Evaluation& e, const data::Source& source) {
  nlohmann::ordered_json line = {{"event", "eval"}, {"dataset", source.name()}};
  run::add_metrics(line, e);
  line["loss"] = e.loss;
  if (e.confusion) add_classes(line, *e.confusion);
  fmt::print("{}\n", json_line(line));
}

/// The scores of each class, and the confusion matrix.
void print_classes(const train::ConfusionMatrix& matrix) {
  fmt::print("class  precision   recall       F1   count\n");
  for (std::int64_t c = 0; c < matrix.classes; ++c) {
    const auto s = matrix.scores(c);
    fmt::print("{:>5}  {:>9.4f}  {:>7.4f}  {:>7.4f}  {:>6}\n", c, s.precision, s.recall, s.f1,
               s.count);
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

void print_text(const train::Evaluation& e, const data::Source& source) {
  const std::string name = printable(source.name());
  if (e.confusion) {
    fmt::print("{}: {}, loss {:.4f}\n\n", name, text_of(e.accuracy(), "correct"), e.loss);
    return print_classes(*e.confusion);
  }
  fmt::print("{}, {}: {} {:.6f}", name, tested(source), e.loss_name, e.loss);
  for (const train::Metric& m : e.metrics) fmt::print(", {}", text_of(m, m.counted));
  fmt::print("\n");
}

int work(const EvalFlags& flags) {
  if (!flags.logits.empty()) run::check_output(flags.logits, {flags.model.path});
  LoadedModel loaded = load_model(flags.model);
  set_num_threads(flags.threads);
  flags.verbose.say();
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
  const auto source = flags.data.open(dataset, loaded.source_options());
  if (!flags.logits.empty() && source->target().kind != data::TargetSpec::Kind::classes)
    throw UsageError(
        fmt::format("--logits needs classes, {} has none; leave it out", source->name()));
  const train::Evaluation evaluation = loaded.run([&]<class T>(const infer::Model<T>& model) {
    std::vector<T> logits;
    train::Evaluation e = train::evaluate(model, *source, data::Split::test, &logits);
    if (!flags.logits.empty())
      io::write_npy(flags.logits,
                    {source->size(data::Split::test), static_cast<std::int64_t>(model.outputs())},
                    std::span<const T>(logits));
    return e;
  });
  (flags.json ? print_json : print_text)(evaluation, *source);
  tell_note(*source);
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
              fmt::format("Data set: {}, or a folder. Default: the data set of the training",
                          fmt::join(data_set_names(), ", ")))
      .folder("DATASET")
      .offers(data_set_names());
  flags->data.add_to(command);
  command.option("--logits", flags->logits, "Write the logits to this .npy file").file();
  command.option("--threads", flags->threads, kThreadsHelp);
  command.flag("--json", flags->json, "Print one line of JSON");
  flags->verbose.add_to(command);
  command.set_work([flags] { return work(*flags); });
}

}  // namespace unroll::app
