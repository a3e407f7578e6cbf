#include "app/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "core/printable.h"
#include "core/shell_word.h"
#include "run/file_names.h"

namespace unroll::app {
namespace {

bool is_poor(const train::Evaluation& evaluation) {
  constexpr double kGood = 90;
  const auto& metrics = evaluation.metrics;
  return !metrics.empty() && metrics.front().is_share() && metrics.front().larger_is_better &&
         metrics.front().value < kGood;
}

report::RunCommand better_training(const FinishedRun& run) {
  const train::Config& c = run.config;
  const std::string words = report::data_words(c.dataset, run.data_dir);
  if (c.recipe != "tuned" && train::has_recipe("tuned", c.dataset))
    return {"train with the best settings known",
            fmt::format("unroll train{} --recipe tuned --model {}", words, name_of(c.model))};
  std::string command = "unroll train";
  if (!run.data_dir.empty()) command += words;
  command += " --config " + shell_word(run.folder + "/" + run::config_file);
  command += c.epochs > 0 ? fmt::format(" --epochs {}", 2 * c.epochs)
                          : fmt::format(" --steps {}", 2 * c.steps);
  return {"train twice as long", command};
}

/// One line for all files of a kind: "step_*.safetensors (5)".
std::string line_name(const std::string& name) {
  for (const std::string_view start : {run::checkpoint_start, run::step_start})
    if (name.starts_with(start)) return fmt::format("{}*{}", start, run::tensors_ending);
  return name;
}

}  // namespace

std::vector<report::RunCommand> next_commands(const FinishedRun& run) {
  std::vector<report::RunCommand> all;
  const std::string &folder = run.folder, &dataset = run.config.dataset;
  if (is_poor(run.evaluation)) all.push_back(better_training(run));
  if (!run.has_report)
    all.push_back({"one page with all of the run", "unroll report " + shell_word(folder)});
  all.push_back(report::predict_command(folder, run.model, dataset, run.data_dir));
  all.push_back(report::export_commands(folder, run.model, "model").front());
  all.push_back(report::eval_command(folder, dataset, run.data_dir));
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
  for (const report::RunCommand& next : next_commands(run))
    text += fmt::format("  {}  # {}\n", next.command, next.purpose);
  return text;
}

}  // namespace unroll::app
