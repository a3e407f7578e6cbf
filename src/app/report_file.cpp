#include "app/report_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "app/exit_code.h"
#include "app/json_line.h"
#include "app/messages.h"
#include "core/file.h"
#include "core/printable.h"
#include "core/shell_word.h"
#include "report/network_svg.h"
#include "report/page.h"
#include "report/run_data.h"
#include "report/run_record.h"

namespace unroll::app {

namespace fs = std::filesystem;

bool is_report(const std::string& path) {
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) return false;
  const InputFile file("report", path);
  std::array<char, 1024> start;
  const auto bytes = std::as_writable_bytes(
      std::span(start).first(std::min<std::uint64_t>(file.size(), start.size())));
  file.read_at(0, bytes);
  return report::is_page({start.data(), bytes.size()});
}

std::string default_report(const std::vector<std::string>& runs) {
  std::string path = "report.html";
  if (runs.size() == 1) {
    fs::path folder = fs::path(runs.front()).lexically_normal();
    if (folder.filename().empty()) folder = folder.parent_path();  // after a / at the end
    if (folder.filename() == "." || folder.filename() == "..") folder = fs::canonical(folder);
    path = folder.string() + ".html";
  }
  std::error_code ignored;
  if (fs::exists(path, ignored) && !is_report(path))  // nobody typed its name
    throw ValueError("report", fmt::format("{} is there, and is no report of this program; move "
                                           "it away, or name another file: unroll report -o",
                                           path));
  return path;
}

std::string make_report(const std::vector<std::string>& runs) {
  std::vector<report::RunRecord> all;
  for (const std::string& run : runs) {
    try {
      all.push_back(report::read_run(run));
    } catch (const Error& error) {
      if (&run == &runs.back() && all.empty()) throw;
      say_note(fmt::format("left out: {}", error.reason()));
    }
  }
  std::vector<std::string> notes;
  std::optional<report::TrainedModel> model;
  if (all.size() == 1) model = report::if_readable(report::model_of, all.front(), notes);
  const auto data =
      all.size() == 1 ? report::data_of(all.front(), model, notes) : report::data_of(all);
  for (const auto& run : data.at("runs"))
    if (run.contains("notes"))
      for (const auto& note : run.at("notes")) say_note(note.get<std::string>());
  return report::page(data, all.size() == 1 ? all.front().name : fmt::format("{} runs", all.size()),
                      model ? report::network_svg(model->spec) : "");
}

int report_run(const std::string& run, Output output) {
  try {
    const std::string path = default_report({run}), html = make_report({run});
    write_file("report", path, std::string_view(html));
    if (output == Output::json)
      fmt::print("{}\n", json_line({{"event", "report"}, {"file", path}, {"bytes", html.size()}}));
    else if (output == Output::text)
      tell("the report is in {}\n", printable(path));
    return kOk;
  } catch (const Error& error) {
    say_error(error.what());
    tell(
        "the run is whole, and only its report is missing; make it with: unroll report {} -o "
        "FILE\n",
        shell_word(run));
    return kFailed;
  }
}

}  // namespace unroll::app
