#include "run/prediction_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "data/in_batches.h"
#include "nn/model_file.h"
#include "train/evaluate.h"
#include "train/probabilities.h"
#include "unroll/autograd/no_grad.h"

namespace unroll::run {
namespace {

std::string csv_field(std::string_view field) {
  if (field.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(field);
  std::string text = "\"";
  for (const char c : field) text += c == '"' ? std::string("\"\"") : std::string(1, c);
  return text + '"';
}

/// The outputs' names, or numbers from 0.
std::vector<std::string> names_of(const spec::ModelSpec& spec) {
  const auto outputs = static_cast<std::size_t>(spec::outputs_of(spec));
  std::vector<std::string> names;
  for (std::size_t c = 0; c < outputs; ++c)
    names.push_back(c < spec.classes.size() ? csv_field(spec.classes[c]) : fmt::to_string(c));
  return names;
}

}  // namespace

PredictionTable::PredictionTable(const spec::ModelSpec& spec, bool windows, bool each_step)
    : values_(spec.output == spec::Output::values),
      scores_(spec.output == spec::Output::scores),
      every_step_(spec::features_of(spec).back().is_sequence()),
      each_step_(each_step),
      windows_(windows),
      width_(static_cast<std::size_t>(spec::outputs_of(spec))),
      names_(names_of(spec)) {}

std::string PredictionTable::header() const {
  std::string line = "series";
  if (windows_) line += ",window";
  if (every_step_ || each_step_) line += ",step";
  if (!values_) line += ",predicted";
  if (values_ || !every_step_)
    for (const std::string& name : names_) line += "," + name;
  return line + "\n";
}

template <class T>
void PredictionTable::add(std::string& to, std::string_view series, std::int64_t window,
                          std::span<const T> outputs, std::int64_t step) {
  std::string start = csv_field(series);
  if (windows_) start += fmt::format(",{}", window);
  for (std::size_t first = 0; first < outputs.size(); first += width_, ++step) {
    to += start;
    if (every_step_ || each_step_) to += fmt::format(",{}", step);
    add_answer(to, outputs.subspan(first, width_));
    to += '\n';
  }
}

template void PredictionTable::add(std::string&, std::string_view, std::int64_t,
                                   std::span<const float>, std::int64_t);
template void PredictionTable::add(std::string&, std::string_view, std::int64_t,
                                   std::span<const double>, std::int64_t);

template <class T>
void PredictionTable::add_answer(std::string& to, std::span<const T> outputs) {
  if (values_) {
    for (const T value : outputs) to += fmt::format(",{}", static_cast<float>(value));
    return;
  }
  // The first of several largest.
  to += "," + names_[static_cast<std::size_t>(std::ranges::max_element(outputs) - outputs.begin())];
  if (every_step_) return;
  if (scores_)
    probabilities_.assign(outputs.begin(), outputs.end());
  else
    train::probabilities_of(outputs, probabilities_);
  for (const double p : probabilities_) to += fmt::format(",{}", static_cast<float>(p));
}

std::string prediction_table(train::Trainer& trainer) {
  const train::Evaluation& last = trainer.last_evaluation();
  if (!last.detailed || last.part != data::Split::test) return {};
  const auto views = nn::views_of(trainer.parameters());
  const auto of = [&]<class T>(T*) {
    return prediction_table(infer::Model<T>(trainer.description(), views), trainer.source(),
                            data::Split::test);
  };
  return trainer.parameters().front().value.dtype() == DType::f64
             ? of(static_cast<double*>(nullptr))
             : of(static_cast<float*>(nullptr));
}

template <class T>
void for_predictions(const infer::Model<T>& model, const data::Source& source, data::Split part,
                     const std::function<void(std::string_view series, std::int64_t window,
                                              std::span<const T> outputs)>& f) {
  const NoGrad no_grad;
  const auto series_of = source.series_of(part);
  const auto names = source.names(part);
  std::int64_t sample = 0, window = 0;
  data::in_batches(source, part, DTypeOf<T>::value, [&](const data::Examples& examples) {
    const Tensor outputs = train::outputs_of(model, examples);
    const std::int64_t count = outputs.size(0), size = outputs.numel() / count;
    for (std::int64_t i = 0; i < count; ++i, ++sample) {
      const auto at = static_cast<std::size_t>(sample);
      const std::int64_t series = series_of.empty() ? sample : series_of[at];
      window = sample > 0 && !series_of.empty() && series_of[at - 1] == series ? window + 1 : 1;
      const std::int64_t own = outputs.rank() == 3 && !examples.lengths.empty()
                                   ? examples.lengths[static_cast<std::size_t>(i)] * outputs.size(2)
                                   : size;
      f(names.empty() ? fmt::to_string(series + 1) : names[static_cast<std::size_t>(series)],
        window,
        outputs.values<T>().subspan(static_cast<std::size_t>(i * size),
                                    static_cast<std::size_t>(own)));
    }
  });
}

template void for_predictions(
    const infer::Model<float>&, const data::Source&, data::Split,
    const std::function<void(std::string_view, std::int64_t, std::span<const float>)>&);
template void for_predictions(
    const infer::Model<double>&, const data::Source&, data::Split,
    const std::function<void(std::string_view, std::int64_t, std::span<const double>)>&);

template <class T>
std::string prediction_table(const infer::Model<T>& model, const data::Source& source,
                             data::Split part) {
  PredictionTable table(model.description(), !source.series_of(part).empty());
  std::string text = table.header();
  for_predictions<T>(model, source, part,
                     [&](std::string_view series, std::int64_t window, std::span<const T> outputs) {
                       table.add(text, series, window, outputs);
                     });
  return text;
}

template std::string prediction_table(const infer::Model<float>&, const data::Source&, data::Split);
template std::string prediction_table(const infer::Model<double>&, const data::Source&,
                                      data::Split);

}  // namespace unroll::run
