// unroll eval: how good a model is.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/data_flags.h"
#include "app/model_source.h"
#include "app/verbose.h"
#include "app/verbs.h"
#include "core/printable.h"
#include "core/shell_word.h"
#include "run/output_file.h"
#include "train/evaluate.h"
#include "train/task.h"
#include "unroll/core/threads.h"
#include "unroll/io/npy.h"

namespace unroll::app {
namespace {

struct Flags {
  ModelFlags model;
  DataFlags data;
  VerboseFlag verbose;
  std::string dataset, logits;
  int threads = 0;
  bool json = false;
};

void print_json(const train::Evaluation& e, const train::ConfusionMatrix& matrix,
                const std::string& dataset) {
  nlohmann::ordered_json line = {{"event", "eval"},          {"dataset", dataset},
                                 {"accuracy", e.accuracy()}, {"correct", e.correct},
                                 {"total", e.total},         {"loss", e.loss}};
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
  // A folder's name need not be UTF-8, JSON has to; nor need it be for a terminal.
  fmt::print("{}\n", line.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace));
}

void print_text(const train::Evaluation& e, const train::ConfusionMatrix& matrix,
                const std::string& dataset) {
  fmt::print("{}: accuracy {:.2f} % ({} of {} correct), loss {:.4f}\n\n", printable(dataset),
             e.accuracy(), e.correct, e.total, e.loss);
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

/// A model for a task of memory, on that task.
int work_on_task(const Flags& flags, const LoadedModel& loaded, train::Task task) {
  if (!flags.logits.empty())
    throw UsageError(
        fmt::format("--logits is for images, {} has none; leave it out", name_of(task)));
  const train::Evaluation e =
      loaded.run([&](const auto& model) { return train::evaluate_task(model, task); });
  if (flags.json) {
    const nlohmann::ordered_json line = {{"event", "eval"},          {"dataset", name_of(task)},
                                         {"accuracy", e.accuracy()}, {"correct", e.correct},
                                         {"total", e.total},         {"loss", e.loss}};
    fmt::print("{}\n", line.dump());
    return kOk;
  }
  const std::string counted = task == train::Task::adding
                                  ? fmt::format("sums within {}", train::adding_tolerance)
                                  : "symbols right";
  fmt::print("{}, {} sequences of {} steps: {} {:.6f}, accuracy {:.2f} % ({} of {} {})\n",
             name_of(task), train::test_sequences, spec::steps_of(loaded.spec.input),
             name_of_loss(task), e.loss, e.accuracy(), e.correct, e.total, counted);
  return kOk;
}

int work(const Flags& flags) {
  if (!flags.logits.empty()) run::check_output(flags.logits, {flags.model.path});
  LoadedModel loaded = load_model(flags.model);
  set_num_threads(flags.threads);
  flags.verbose.say();
  const std::string dataset = flags.dataset.empty() ? loaded.dataset() : flags.dataset;
  if (const auto task = train::find_task(dataset)) return work_on_task(flags, loaded, *task);
  take_images(loaded);
  if (flags.dataset.empty() && !data::find_known_set(loaded.dataset()))
    throw UsageError(
        fmt::format("the model was trained on a folder called {}; say where the data is: "
                    "unroll eval {} FOLDER",
                    loaded.dataset(), shell_word(flags.model.path)));
  const Sets sets = flags.data.load(dataset);
  const std::int64_t outputs = spec::outputs_of(loaded.spec);
  if (outputs != sets.test.classes)
    throw ShapeError("eval", fmt::format("the model has {} outputs, {} has {} classes", outputs,
                                         sets.test.name, sets.test.classes));
  const train::Evaluation evaluation = loaded.run([&]<class T>(const infer::Model<T>& model) {
    std::vector<T> logits;
    train::Evaluation e = train::evaluate(model, sets.test, &logits);
    if (!flags.logits.empty())
      io::write_npy(flags.logits, {e.total, outputs}, std::span<const T>(logits));
    return e;
  });
  const train::ConfusionMatrix matrix(sets.test, evaluation, outputs);
  (flags.json ? print_json : print_text)(evaluation, matrix, sets.test.name);
  note_unpublished(sets);
  return kOk;
}

}  // namespace

void add_eval(Verb& program) {
  Verb verb = program.add("eval", "Test a model: accuracy, loss, scores of each class.",
                          "unroll eval runs/mnist-rnn-tuned-seed0");
  const auto flags = std::make_shared<Flags>();
  flags->model.add_to(verb);
  verb.option("dataset", flags->dataset,
              "mnist, fashion-mnist, kmnist, a folder, adding or copy; what the model was "
              "trained on if left out");
  flags->data.add_to(verb);
  verb.option("--logits", flags->logits, "Write the logits to this .npy file");
  verb.option("--threads", flags->threads, "0: the cores allowed here");
  verb.flag("--json", flags->json, "One line of JSON");
  flags->verbose.add_to(verb);
  verb.set_work([flags] { return work(*flags); });
}

}  // namespace unroll::app
