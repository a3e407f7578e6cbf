#include "app/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "core/printable.h"
#include "core/shell_word.h"
#include "data/source_traits.h"
#include "export/onnx_cell.h"
#include "run/file_names.h"
#include "unroll/core/error.h"

namespace unroll::app {
namespace {

bool is_poor(const train::Evaluation& evaluation) {
  constexpr double kGood = 90;
  const auto& metrics = evaluation.metrics;
  return !metrics.empty() && metrics.front().is_share() && metrics.front().larger_is_better &&
         metrics.front().value < kGood;
}

/// Whether a stream of the model answers after every row or step.
bool answers_every_step(const train::Config& config) {
  return is_recurrent(config.model) && !config.bidirectional && !config.permute;
}

bool can_be_onnx(const spec::ModelSpec& model) {
  try {
    for (const auto& layer : model.layers)
      if (const auto* recurrent = std::get_if<spec::RecurrentSpec>(&layer))
        exporter::check_onnx_can_say(*recurrent);
    return true;
  } catch (const Error&) {
    return false;
  }
}

/// " mnist --data-dir data", for commands that read the data.
std::string data_words(const FinishedRun& run) {
  std::string words = " " + shell_word(run.config.dataset);
  if (!run.data_dir.empty() && !data::source_traits(run.config.dataset).endless)
    words += " --data-dir " + shell_word(run.data_dir);
  return words;
}

NextCommand better_training(const FinishedRun& run) {
  const train::Config& c = run.config;
  if (c.recipe != "tuned" && train::has_recipe("tuned", c.dataset))
    return {fmt::format("unroll train{} --recipe tuned", data_words(run)),
            "train with the best settings known"};
  std::string command = "unroll train";
  if (!run.data_dir.empty()) command += data_words(run);
  command += " --config " + shell_word(run.folder + "/" + run::config_file);
  command += c.epochs > 0 ? fmt::format(" --epochs {}", 2 * c.epochs)
                          : fmt::format(" --steps {}", 2 * c.steps);
  return {command, "train twice as long"};
}

/// One line for all files of a kind: "step_*.safetensors (5)".
std::string line_name(const std::string& name) {
  for (const std::string_view start : {run::checkpoint_start, run::step_start})
    if (name.starts_with(start)) return fmt::format("{}*{}", start, run::tensors_ending);
  return name;
}

}  // namespace

std::vector<NextCommand> next_commands(const FinishedRun& run) {
  std::vector<NextCommand> all;
  const std::string folder = shell_word(run.folder);
  if (is_poor(run.evaluation)) all.push_back(better_training(run));
  if (!run.has_report) all.push_back({"unroll report " + folder, "one page with all of the run"});
  const bool steps = answers_every_step(run.config);
  all.push_back({fmt::format("unroll predict {}{} --index 0{}", folder, data_words(run),
                             steps ? " --rows" : ""),
                 steps ? "the first test sample, step by step" : "the first test sample"});
  const char* const format = can_be_onnx(run.model) ? "onnx" : "npz";
  all.push_back({fmt::format("unroll export {} --format {} -o model.{}", folder, format, format),
                 "the model for other programs"});
  all.push_back({fmt::format("unroll eval {}{}", folder, data_words(run)),
                 "scores of each class, or the errors"});
  all.resize(3);
  return all;
}

std::string size_text(std::uint64_t bytes) {
  if (bytes < 1000) return fmt::format("{} B", bytes);
  auto size = static_cast<double>(bytes);
  for (const char* unit : {"kB", "MB", "GB"}) {
    size /= 1000;
    if (size < 999.95) return fmt::format("{:.1f} {}", size, unit);
  }
  return fmt::format("{:.1f} TB", size / 1000);
}

std::string summary_of(const FinishedRun& run) {
  struct Line {
    std::uint64_t bytes = 0;
    int files = 0;
  };
  std::map<std::string, Line> lines;
  for (const auto& [name, bytes] : run.files) {
    Line& line = lines[line_name(name)];
    line.bytes += bytes;
    ++line.files;
  }
  std::vector<std::pair<std::string, std::string>> shown;
  std::size_t width = 0;
  for (const auto& [name, line] : lines) {
    const std::string text = printable(name);
    shown.emplace_back(line.files > 1 ? fmt::format("{} ({})", text, line.files) : text,
                       size_text(line.bytes));
    width = std::max(width, shown.back().first.size());
  }
  std::string text = fmt::format("the run is in {}\n", printable(run.folder));
  for (const auto& [name, size] : shown)
    text += fmt::format("  {:<{}}  {:>8}\n", name, width, size);
  text += "what to try next\n";
  for (const auto& [command, purpose] : next_commands(run))
    text += fmt::format("  {}  # {}\n", command, purpose);
  return text;
}

}  // namespace unroll::app
