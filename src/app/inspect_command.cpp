// unroll inspect: the tutorial's "parameters in depth".
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "app/commands.h"
#include "app/json_line.h"
#include "app/model_source.h"
#include "core/file.h"
#include "core/printable.h"
#include "report/layer_text.h"
#include "report/network_svg.h"
#include "report/parameters.h"
#include "run/output_file.h"

namespace unroll::app {
namespace {

void print_model(const LoadedModel& model, bool known) {
  const spec::ModelSpec& spec = model.spec;
  const auto tensors = report::parameters_of(spec, model.file);
  std::size_t widest = 24;
  for (const report::ParameterInfo& tensor : tensors)
    widest = std::max(widest, printable(tensor.name).size());
  const auto print_row = [&](const report::ParameterInfo& tensor, const std::string& shape) {
    fmt::print("{:<{}} {:<12} {:>9}  {:<32} {:>10.4f}\n", printable(tensor.name), widest, shape,
               tensor.count, printable(tensor.role), tensor.norm());
  };
  fmt::print("{:<{}} {:<12} {:>9}  {:<32} {:>10}\n", "name", widest, "shape", "count", "role",
             "norm");
  for (const report::ParameterInfo& tensor : tensors)
    print_row(tensor, fmt::format("[{}]", fmt::join(tensor.shape, ", ")));
  print_row(report::total_of(tensors), "");
  fmt::print("\ninput: {}\n", report::text_of(spec.input, model.described));
  for (const spec::LayerSpec& layer : spec.layers)
    fmt::print("{}\n", report::text_of(layer, known));
  const std::int64_t outputs = spec::outputs_of(spec);
  fmt::print("output: {} {}\n", outputs, report::outputs_name(spec.output, outputs));
  if (!spec.dataset.empty()) fmt::print("trained on: {}\n", printable(spec.dataset));
}

/// One line: the tensors, and the description as the model's file has it.
void print_model_as_json(const LoadedModel& model, bool known) {
  using Json = nlohmann::ordered_json;
  const auto tensors = report::parameters_of(model.spec, model.file);
  Json list = Json::array();
  for (const report::ParameterInfo& tensor : tensors)
    list.push_back({{"name", tensor.name},
                    {"shape", tensor.shape},
                    {"count", tensor.count},
                    {"role", tensor.role},
                    {"norm", tensor.norm()}});
  const report::ParameterInfo total = report::total_of(tensors);
  const Json line = {{"event", "inspect"},
                     {"tensors", list},
                     {"count", total.count},
                     {"norm", total.norm()},
                     {"described", model.described},
                     {"activation_known", known},
                     {"outputs", spec::outputs_of(model.spec)},
                     {"description", Json::parse(spec::to_json(model.spec))}};
  fmt::print("{}\n", json_line(line));
}

struct InspectFlags {
  ModelFlags model;
  std::string svg;
  bool json = false;
};

int work(const InspectFlags& flags) {
  if (!flags.svg.empty()) run::check_output(flags.svg, {flags.model.path});
  const LoadedModel model = load_model(flags.model, false);
  const bool known = model.described || !flags.model.activation.empty();
  if (!flags.svg.empty())
    write_file("inspect", flags.svg, std::string_view(report::network_svg(model.spec, known)));
  (flags.json ? print_model_as_json : print_model)(model, known);
  return kOk;
}

}  // namespace

void add_inspect(Command& program) {
  Command command = program.add("inspect", "Show a model's parameters and description",
                                "unroll inspect runs/mnist-rnn-tuned-seed0");
  const auto flags = std::make_shared<InspectFlags>();
  flags->model.add_to(command);
  command.option("--svg", flags->svg, "Write a picture of the model to this SVG file").file();
  command.flag("--json", flags->json, "One line of JSON");
  command.set_work([flags] { return work(*flags); });
}

}  // namespace unroll::app
