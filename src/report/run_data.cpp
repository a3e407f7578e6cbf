#include "report/run_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "core/overloaded.h"
#include "core/shell_word.h"
#include "export/js.h"
#include "report/comparison.h"
#include "report/curves.h"
#include "report/layer_text.h"
#include "report/parameters.h"
#include "report/run_commands.h"
#include "report/sample_data.h"
#include "run/file_names.h"
#include "run/inside_json.h"
#include "train/divergence.h"
#include "train/loss.h"
#include "unroll/core/error.h"

namespace unroll::report {
namespace {

using Json = nlohmann::ordered_json;

// Evaluations of a page: a run may have one after every step.
constexpr std::size_t kMostEvaluations = 1000, kMostLooks = 50;

Json finite(double value) { return std::isfinite(value) ? Json(value) : Json(); }

train::StepResult result_of(const run::MetricsLog::Step& step) {
  return {.step = step.step, .loss = step.loss, .grad_norm = step.grad_norm};
}

/// Why the run has not finished.
std::string reason_of(const RunRecord& run) {
  if (run.manifest_is_lost)
    return fmt::format(
        "There is no manifest.json, so it is not certain that the files are whole. "
        "Restore the folder from a copy, or train again: unroll train --config {}",
        shell_word(run.path + "/" + run::config_file));
  const std::string go_on = "Go on with: unroll train --resume " + shell_word(run.path);
  const std::string of = run.steps() ? fmt::format(" of {}", *run.steps()) : "";
  switch (run.status()) {
    case run::RunStatus::finished:
      return "";
    case run::RunStatus::interrupted:
      return fmt::format("interrupted after step {}{}. {}", run.step, of, go_on);
    case run::RunStatus::training:
      return fmt::format(
          "not at its end: it still trains, or was killed, after step {}{}. If it "
          "was killed: {}",
          run.step, of, go_on);
    case run::RunStatus::diverged:
      break;
  }
  if (!run.log.divergence) return "diverged; its metrics.jsonl does not say why";
  if (const std::string& said = run.log.divergence->reason; !said.empty()) return said;
  // Older runs have only the numbers.
  const run::MetricsLog::Step& failed = run.log.divergence->failed;
  train::StepResult before;
  for (const run::MetricsLog::Step& step : run.log.steps)
    if (step.step < failed.step) before = result_of(step);
  return train::divergence_text(result_of(failed), "", before, run.config);
}

/// The part that was tested, unless it is the test part.
void add_part(Json& to, const run::MetricsLog::Test& test) {
  if (test.part != data::Split::test) to["part"] = train::name_of(test.part);
}

Json json_of_result(const run::MetricsLog::Test& test, std::string_view loss_name) {
  Json metrics = Json::array();
  for (const train::Metric& m : metrics_of(test)) {
    Json one = {{"name", m.name},
                {"key", m.key()},
                {"value", finite(m.value)},
                {"unit", m.unit},
                {"larger_is_better", m.larger_is_better}};
    if (m.is_share()) one.update({{"correct", m.correct}, {"total", m.total}});
    for (const train::Baseline& b : test.baselines)
      if (b.metric == m.name)
        one["baselines"].push_back({{"title", b.title}, {"value", finite(b.value)}});
    metrics.push_back(std::move(one));
  }
  Json result = {
      {"loss", finite(test.loss)}, {"loss_name", loss_name}, {"metrics", std::move(metrics)}};
  add_part(result, test);
  return result;
}

std::string loss_name_of(const RunRecord& run, const spec::ModelSpec& spec) {
  const bool scaled = std::holds_alternative<spec::ScaleSpec>(spec.layers.back());
  return train::loss_name(spec.output, run.config.loss, scaled);
}

/// Keeps every k-th item and the last one.
template <class T>
std::vector<const T*> thinned(const std::vector<T>& all, std::size_t most) {
  std::vector<const T*> kept;
  const std::size_t every = std::max<std::size_t>(1, (all.size() + most - 1) / most);
  for (std::size_t i = 0; i < all.size(); ++i)
    if ((all.size() - 1 - i) % every == 0) kept.push_back(&all[i]);
  return kept;
}

Json json_of_test(const run::MetricsLog::Test& test, bool with_look) {
  Json metrics = Json::object();
  for (const train::Metric& m : metrics_of(test)) metrics[m.key()] = finite(m.value);
  Json one = {{"step", test.step}, {"loss", finite(test.loss)}, {"metrics", std::move(metrics)}};
  add_part(one, test);
  if (with_look && test.inside) one["inside"] = Json::parse(run::to_json(*test.inside));
  return one;
}

/// The test of the weights that were kept, then the step that failed: with the loss of training,
/// no metrics, and a look inside the weights that exploded.
void add_divergence(Json& to, const run::MetricsLog::Divergence& divergence, bool with_looks) {
  const run::MetricsLog::Step& failed = divergence.failed;
  const run::MetricsLog::Test& kept = divergence.kept;
  if (to.empty() || to.back()["step"] < kept.step) to.push_back(json_of_test(kept, false));
  to.push_back({{"step", failed.step},
                {"loss", finite(failed.loss)},
                {"metrics", Json::object()},
                {"diverged", true}});
  if (with_looks && kept.inside) to.back()["inside"] = Json::parse(run::to_json(*kept.inside));
}

Json evaluations_of(const RunRecord& run, bool with_looks) {
  Json all = Json::array();
  const auto kept = thinned(run.log.tests, kMostEvaluations);
  const std::size_t look_every =
      std::max<std::size_t>(1, (kept.size() + kMostLooks - 1) / kMostLooks);
  for (std::size_t i = 0; i < kept.size(); ++i)
    all.push_back(json_of_test(*kept[i], with_looks && (kept.size() - 1 - i) % look_every == 0));
  if (run.log.divergence) add_divergence(all, *run.log.divergence, with_looks);
  return all;
}

std::string task_of(const spec::ModelSpec& spec, const run::MetricsLog::Test* result) {
  if (spec.output == spec::Output::values) return "values";
  if (!spec::features_of(spec).back().is_sequence()) return "classes";
  // Only language models are tested for their perplexity.
  const bool next = result && result->metric("perplexity");
  return next ? "next_token" : "step_classes";
}

/// The same without a model, which can't be read.
std::string task_of(const run::Samples& samples) {
  return samples.targets.dtype() == DType::f32 ? "values"
         : samples.targets.rank() == 1         ? "classes"
                                               : "step_classes";
}

Json input_of(const spec::ModelSpec& spec) {
  return std::visit(
      Overloaded{[](const spec::ImageInput& i) -> Json {
                   Json image = {{"kind", "image"},
                                 {"height", i.height},
                                 {"width", i.width},
                                 {"form", spec::name_of(i.form)}};
                   if (i.permutation) image["permutation"] = *i.permutation;
                   return image;
                 },
                 [](const spec::SeriesInput& s) -> Json {
                   return {{"kind", "sequence"}, {"features", s.features}, {"steps", s.steps}};
                 },
                 [](const spec::VectorInput& v) -> Json {
                   return {{"kind", "vector"}, {"features", v.features}};
                 },
                 [](const spec::TokenInput& t) -> Json {
                   return {{"kind", "tokens"}, {"tokens", t.tokens}, {"steps", t.steps}};
                 }},
      spec.input);
}

/// The names of the classes; their numbers if the model has none.
Json classes_of(const spec::ModelSpec& spec) {
  if (!spec.classes.empty() || spec.output == spec::Output::values) return spec.classes;
  Json names = Json::array();
  for (std::int64_t c = 0; c < spec::outputs_of(spec); ++c) names.push_back(fmt::format("{}", c));
  return names;
}

void add_parameters(Json& data, const TrainedModel& model) {
  const auto parameters = parameters_of(model.spec, model.weights);
  Json list = Json::array();
  for (const ParameterInfo& p : parameters)
    list.push_back({{"name", p.name},
                    {"shape", p.shape},
                    {"count", p.count},
                    {"role", p.role},
                    {"norm", finite(p.norm())}});
  data["parameters"] = std::move(list);
  data["parameter_count"] = total_of(parameters).count;
  Json layers = Json::array({"input: " + text_of(model.spec.input)});
  for (const spec::LayerSpec& layer : model.spec.layers) layers.push_back(text_of(layer));
  const std::int64_t outputs = spec::outputs_of(model.spec);
  layers.push_back(fmt::format("output: {} {}", outputs, outputs_name(model.spec.output, outputs)));
  data["layers"] = std::move(layers);
}

/// The weights for the network of the page, or a note why they are not there.
void add_network(Json& data, const TrainedModel& model) {
  std::size_t weights = 0;
  for (const io::ArrayView& array : model.weights.arrays())
    weights += array.data.size() / io::size_of(array.type);
  if (weights * sizeof(float) / 3 * 4 > most_network) {
    data["network_note"] = fmt::format(
        "The network has {} weights, too many for a page, so it does not run here. A model of its "
        "own has them: unroll export --format js.",
        weights);
    return;
  }
  try {
    data["network"] = Json::parse(exporter::js_data(model.spec, model.weights.arrays()));
  } catch (const FormatError& error) {  // weights that are not finite
    data["network_note"] = fmt::format("The network does not run here: {}", error.reason());
  }
}

/// Each kind of trouble once, at the first test that shows it.
Json findings_of(const RunRecord& run) {
  Json all = Json::array();
  std::set<std::string> found;
  for (const train::Signs& signs : run.log.signs())
    for (const train::Finding& f : train::diagnose(run.config, signs))
      if (found.insert(f.name).second)
        all.push_back({{"step", signs.failed ? signs.failed->step : signs.step},
                       {"name", f.name},
                       {"what", f.what},
                       {"remedy", f.remedy}});
  return all;
}

/// What a page of one run and a page of several have in common.
Json summary_of(const RunRecord& run, const TrainedModel* model) {
  Json data = {{"name", run.name},
               {"folder", run.path},
               {"status", run.status_name()},
               {"step", run.step},
               {"steps", run.steps() ? Json(*run.steps()) : Json()}};
  if (const std::string reason = reason_of(run); !reason.empty()) data["reason"] = reason;
  data["findings"] = findings_of(run);
  if (const auto* result = run.result())
    data["result"] = json_of_result(*result, model ? loss_name_of(run, model->spec) : "");
  data["dataset"] =
      model && !model->spec.dataset.empty() ? model->spec.dataset : run.config.dataset;
  if (model) {
    data["task"] = task_of(model->spec, run.result());
    data["input"] = input_of(model->spec);
    data["classes"] = classes_of(model->spec);
    add_parameters(data, *model);
    data["weights_sha256"] = model->sha256;
  }
  data["config"] = Json::parse(run.config_text);
  data["config_text"] = run.config_text;
  Json commands = Json::array();
  for (const RunCommand& c : commands_for(run, model))
    commands.push_back({{"purpose", c.purpose}, {"command", c.command}});
  data["commands"] = std::move(commands);
  data["curves"] = curves(run.log);
  return data;
}

Json page_data(Json runs) {
  return {{"version", 1}, {"program", "unroll " UNROLL_VERSION}, {"runs", std::move(runs)}};
}

}  // namespace

Json data_of(const RunRecord& run, const std::optional<TrainedModel>& model,
             std::vector<std::string> notes) {
  Json data = summary_of(run, model ? &*model : nullptr);
  data["evaluations"] = evaluations_of(run, true);
  if (model) add_network(data, *model);
  if (const auto samples = if_readable(samples_of, run, notes)) {
    if (samples->confusion) data["confusion"] = data_of(*samples->confusion);
    data["samples"] = data_of(*samples);
    if (!model) data.update({{"task", task_of(*samples)}, {"classes", samples->classes}});
    // The network itself has them, where it is.
    if (model && !data.contains("network")) data["samples"]["states"] = data_of(samples->states);
  }
  if (!notes.empty()) data["notes"] = notes;
  return page_data(Json::array({std::move(data)}));
}

Json data_of(const std::vector<RunRecord>& runs) {
  Json all = Json::array();
  for (const RunRecord& run : runs) {
    std::vector<std::string> notes;
    const auto model = if_readable(model_of, run, notes);
    Json data = summary_of(run, model ? &*model : nullptr);
    data["evaluations"] = evaluations_of(run, false);
    if (!notes.empty()) data["notes"] = notes;
    all.push_back(std::move(data));
  }
  Json data = page_data(std::move(all));
  data["differences"] = differences(runs);
  data["groups"] = groups(runs);
  return data;
}

}  // namespace unroll::report
