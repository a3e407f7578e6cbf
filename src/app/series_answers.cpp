#include "app/series_answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "app/json_line.h"
#include "train/probabilities.h"

namespace unroll::app {
namespace {

bool answers_every_step(const spec::ModelSpec& spec) {
  return spec::features_of(spec).back().is_sequence();
}

std::string name_of_output(const spec::ModelSpec& spec, std::size_t c) {
  return c < spec.classes.size() ? spec.classes[c] : fmt::to_string(c);
}

}  // namespace

SeriesAnswers::SeriesAnswers(const spec::ModelSpec& spec, bool each_step, bool json)
    : spec_(spec),
      windows_(spec.table && spec.table->window > 0 && !each_step),
      steps_(each_step || answers_every_step(spec)),
      json_(json),
      table_(spec, windows_, each_step) {}

std::string SeriesAnswers::header() const { return json_ ? "" : table_.header(); }

template <class T>
void SeriesAnswers::add(std::string& to, std::string_view series, std::int64_t window,
                        std::span<const T> outputs, std::int64_t step) {
  if (json_)
    add_json(to, series, window, outputs, step);
  else
    table_.add(to, series, window, outputs, step);
}

template <class T>
void SeriesAnswers::add_json(std::string& to, std::string_view series, std::int64_t window,
                             std::span<const T> outputs, std::int64_t step) {
  const auto width = static_cast<std::size_t>(spec::outputs_of(spec_));
  for (std::size_t first = 0; first < outputs.size(); first += width, ++step) {
    const std::span<const T> answer = outputs.subspan(first, width);
    nlohmann::ordered_json line = {{"event", "prediction"}, {"series", series}};
    if (windows_) line["window"] = window;
    if (steps_) line["step"] = step;
    const bool values = spec_.output == spec::Output::values;
    std::vector<double> numbers(answer.begin(), answer.end());
    if (!values) {
      const auto best = static_cast<std::size_t>(std::ranges::max_element(answer) - answer.begin());
      line["predicted"] = name_of_output(spec_, best);
      if (spec_.output == spec::Output::logits) train::probabilities_of(answer, numbers);
    }
    auto& named = line[values                                 ? "values"
                       : spec_.output == spec::Output::logits ? "probabilities"
                                                              : "scores"];
    for (std::size_t c = 0; c < width; ++c)
      named[name_of_output(spec_, c)] = static_cast<float>(numbers[c]);
    to += json_line(line) + "\n";
  }
}

template void SeriesAnswers::add(std::string&, std::string_view, std::int64_t,
                                 std::span<const float>, std::int64_t);
template void SeriesAnswers::add(std::string&, std::string_view, std::int64_t,
                                 std::span<const double>, std::int64_t);

}  // namespace unroll::app
