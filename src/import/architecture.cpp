#include "import/architecture.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/json.h"
#include "core/printable.h"
#include "core/suggest.h"
#include "import/words.h"
#include "spec/from_weights.h"

namespace unroll::importer {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kLongest = 1 << 20;

[[noreturn]] void fail(const std::string& file, std::string_view why) {
  throw FormatError("import", fmt::format("{}: {}", file, why));
}

/// What is wrong, without the operation in brackets, and without the advice that is for a
/// description that a program wrote.
std::string_view reason(const Error& error) {
  std::string_view text = error.what();
  text.remove_prefix(text.find("] ") + 2);
  constexpr std::string_view kBefore = "is damaged: ", kAfter = "; save the model again";
  if (const auto found = text.find(kBefore); found != std::string_view::npos) {
    text.remove_prefix(found + kBefore.size());
    text = text.substr(0, text.rfind(kAfter));
  }
  return text;
}

/// With escapes where a terminal would do something else than show the text.
std::string json_text(const Json& json) {
  std::string text = json.dump();
  return printable(text) == text ? text : json.dump(-1, ' ', true);
}

std::string text_of(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool is_recurrent(std::string_view type) {
  return type == "rnn" || type == "lstm" || type == "gru";
}

/// Fills in what the weights tell, and gathers what they do not.
class Completion {
 public:
  Completion(Json architecture, const WeightNames& weights, const std::string& file)
      : given_(std::move(architecture)), weights_(weights), file_(file) {}

  Architecture complete() {
    Json layers = all_layers();
    if (std::string wrong = misspelt_beside_layers(given_); !wrong.empty())
      problems_.push_back(std::move(wrong));
    if (!problems_.empty()) fail(fmt::format("{}", fmt::join(problems_, "; ")));
    if (!open_.empty())
      throw OpenQuestions(fmt::format("the weights do not say {}", fmt::join(open_, ", ")), text());

    Json whole = {{"version", spec::ModelSpec::version}};
    whole["input"] = input();
    whole["layers"] = std::move(layers);
    whole["output"] = "logits";
    whole["dataset"] = "";
    whole["classes"] = Json::array();
    for (const auto& item : given_.items())
      if (item.key() != "input" && item.key() != "layers") whole[item.key()] = item.value();
    try {
      result_.spec = spec::from_json(whole.dump());
    } catch (const FormatError& error) {
      fail(reason(error));
    }
    return std::move(result_);
  }

  /// The file with all choices that it leaves.
  std::string text_with_questions() {
    all_layers();
    return text();
  }

 private:
  [[noreturn]] void fail(std::string_view why) const { importer::fail(file_, why); }

  Json all_layers() {
    const auto found = given_.find("layers");
    if (found == given_.end() || !found->is_array()) fail("'layers' is missing, a list of layers");
    Json layers = Json::array();
    constexpr std::size_t kMostProblems = 16;  // looking for names that are meant takes long
    for (std::size_t i = 0; i < found->size() && problems_.size() < kMostProblems; ++i)
      layers.push_back(layer(i));
    return layers;
  }

  Json& given(std::size_t i) { return given_["layers"][i]; }

  /// What is missing of a layer and can't be known: the line to add, with the choices and, where
  /// there is one, what else is to be thought of.
  void ask(std::size_t i, const char* key, const char* choices, std::string_view hint = "") {
    Json& layer = given(i);
    if (layer.contains(key)) return;
    layer[key] = choices;
    const std::string name = text_of(layer, "name");
    open_.push_back(fmt::format("the {} of {} (add \"{}\": \"{}\"{}{})", key,
                                name.empty() ? fmt::format("layer {}", i + 1) : name, key, choices,
                                hint.empty() ? "" : ": ", hint));
  }

  /// What reads twice the state's size may read any two things side by side, of which a model can
  /// only have the mean and the last state: that is for the user to confirm.
  void ask_readout(std::size_t i, const spec::RecurrentSpec& r) {
    const std::string reader = linear_after(i);
    const auto from = weights_.layers(reader, "weight");
    const spec::Sizes shape = !reader.empty() && from.size() == 1
                                  ? weights_.shapes().at(from.front() + ".weight")
                                  : spec::Sizes{};
    if (shape.size() != 2 || shape[1] != 2 * r.features())
      return ask(i, "readout", "last | mean | max | mean_last | every_step");
    ask(i, "readout", "mean_last",
        fmt::format("{} reads {} numbers, twice the {} of a state, which can only be imported as "
                    "cat([mean over the steps, last state]); mean and max, last and max, h_n and "
                    "c_n or others side by side can't be",
                    reader, shape[1], r.features()));
  }

  /// "layer 2 (fc)".
  std::string called(std::size_t i) {
    const std::string name = text_of(given(i), "name");
    return name.empty() ? fmt::format("layer {}", i + 1)
                        : fmt::format("layer {} ({})", i + 1, printable(name));
  }

  /// The name of the linear layer that comes next, if it does.
  std::string linear_after(std::size_t i) {
    const Json& layers = given_["layers"];
    if (i + 1 == layers.size() || !layers[i + 1].is_object()) return {};
    return text_of(layers[i + 1], "type") == "linear" ? text_of(layers[i + 1], "name") : "";
  }

  /// What a layer's name is in the file; an empty text, and a problem, where there is no such one.
  std::string source(std::size_t i, std::string_view weight) {
    const std::string name = text_of(given(i), "name");
    if (name.empty()) {
      problems_.push_back(
          fmt::format("layer {} has no 'name', which says whose weights it takes", i + 1));
      return {};
    }
    if (result_.sources.contains(name)) {
      problems_.push_back(
          fmt::format("layer {} is the second that is called {}", i + 1, in_quotes(name)));
      return {};
    }
    const std::vector<std::string> found = weights_.layers(name, weight);
    if (found.size() != 1) {
      problems_.push_back(found.empty() ? no_such(i, name, weight)
                                        : fmt::format("layer {}: several layers of {} are called "
                                                      "{}: {}; give the whole name of one",
                                                      i + 1, weights_.file(), in_quotes(name),
                                                      listed(found)));
      return {};
    }
    result_.sources[name] = found.front();
    return found.front();
  }

  std::string no_such(std::size_t i, const std::string& name, std::string_view weight) const {
    const std::vector<std::string> there = weights_.layers_with(weight);
    const std::vector<std::string_view> names(there.begin(), there.end());
    return fmt::format("layer {}: {} has no {}.{}; those that have one: {}{}", i + 1,
                       weights_.file(), in_quotes(name), weight,
                       there.empty() ? "none" : listed(there), did_you_mean(name, names));
  }

  /// The first of many names.
  static std::string listed(const std::vector<std::string>& names) {
    constexpr std::size_t kMost = 16;
    std::string text;
    for (std::size_t i = 0; i < std::min(kMost, names.size()); ++i)
      text += (i == 0 ? "" : ", ") + printable(names[i]);
    return names.size() > kMost ? fmt::format("{} and {} more", text, names.size() - kMost) : text;
  }

  Json layer(std::size_t i) {
    const Json said = given(i);
    if (!said.is_object()) fail(fmt::format("layer {} is no object in braces", i + 1));
    const std::string type = text_of(said, "type");
    if (type.empty()) fail(fmt::format("layer {} has no 'type'", i + 1));
    Json whole;
    if (const std::string wrong = misspelt_in_layer(said); !wrong.empty()) {
      problems_.push_back(fmt::format("{}: {}", called(i), wrong));
    } else if (is_recurrent(type)) {
      whole = recurrent(i, type);
    } else if (type == "linear") {
      whole = linear(i);
    } else if (type == "conv2d") {
      whole = convolution(i);
    } else if (type == "scale") {
      return scale(i);
    } else if (type == "residual") {
      whole = json_of(spec::ResidualSpec{});
    } else if (type == "activation") {
      ask(i, "function", "relu | tanh | sigmoid");
      whole = said;
    } else {
      whole = said;
    }
    if (whole.is_object()) whole.update(said);
    return whole;
  }

  Json recurrent(std::size_t i, const std::string& type) {
    const bool inner = below_a_recurrent(i);
    if (type == "rnn") ask(i, "nonlinearity", "tanh | relu");
    const std::string from = source(i, "weight_ih_l0");
    if (from.empty()) return {};
    try {
      auto r = layer_of(from, spec::cell_named(type));
      if (inner)
        r.readout = spec::Readout::every_step;
      else
        ask_readout(i, r);
      return json_of(r);
    } catch (const Error& error) {
      problems_.emplace_back(reason(error));
      return {};
    }
  }

  /// A layer as its weights tell. Where they contradict each other, those that read the input
  /// count: what differs from them is listed later, with all else.
  spec::RecurrentSpec layer_of(const std::string& from, spec::Cell cell) const {
    std::optional<spec::RecurrentSpec> told;
    try {
      told = spec::recurrent_from_weights(weights_.shapes(), from, {});
    } catch (const FormatError&) {
    }
    if (told && told->cell != cell)
      throw FormatError("import",
                        fmt::format("{}.weight_hh_l0 of shape [{}] is of type {}, not {}", from,
                                    fmt::join(weights_.shapes().at(from + ".weight_hh_l0"), ", "),
                                    spec::name_of(told->cell), spec::name_of(cell)));
    if (told) return *told;
    std::map<std::string, spec::Sizes> shapes = weights_.shapes();
    const spec::Sizes& input = shapes.at(from + ".weight_ih_l0");
    const auto projection = shapes.find(from + ".weight_hr_l0");
    const std::int64_t gates = spec::RecurrentSpec{.cell = cell}.gates();
    std::int64_t hidden = input.empty() ? 0 : input[0] / gates, state = hidden;
    if (projection != shapes.end() && projection->second.size() == 2) {
      state = projection->second[0];
      hidden = projection->second[1];
    }
    // An empty tensor may claim any size; what is implausible is refused below.
    constexpr std::int64_t kLargest = std::int64_t{1} << 31;
    shapes[from + ".weight_hh_l0"] = {gates * std::min(hidden, kLargest), state};
    return spec::recurrent_from_weights(shapes, from, {});
  }

  /// Whether the next layer with weights is a recurrent one, which reads every step.
  bool below_a_recurrent(std::size_t i) {
    const Json& layers = given_["layers"];
    for (++i; i < layers.size(); ++i) {
      const std::string type = layers[i].is_object() ? text_of(layers[i], "type") : "";
      if (is_recurrent(type)) return true;
      if (type != "activation" && type != "scale" && type != "residual") return false;
    }
    return false;
  }

  Json linear(std::size_t i) {
    const std::string from = source(i, "weight");
    if (from.empty()) return {};
    const spec::Sizes& shape = weights_.shapes().at(from + ".weight");
    if (shape.size() != 2) return misshapen(from, shape, "[out_features, in_features]");
    return json_of(
        spec::LinearSpec{"", shape[1], shape[0], weights_.shapes().contains(from + ".bias")});
  }

  Json convolution(std::size_t i) {
    ask(i, "stride", "[height, width]");
    ask(i, "padding", "[height, width]");
    const std::string from = source(i, "weight");
    if (from.empty()) return {};
    const spec::Sizes& shape = weights_.shapes().at(from + ".weight");
    if (shape.size() != 4) return misshapen(from, shape, "[out, in, height, width]");
    return json_of(spec::Conv2dSpec{.name = "",
                                    .in_channels = shape[1],
                                    .out_channels = shape[0],
                                    .kernel = {shape[2], shape[3]},
                                    .bias = weights_.shapes().contains(from + ".bias")});
  }

  Json misshapen(const std::string& from, const spec::Sizes& shape, const char* expected) {
    problems_.push_back(fmt::format("{}.weight has shape [{}], expected {}", from,
                                    fmt::join(shape, ", "), expected));
    return {};
  }

  /// mean and std may be a number, a list, or the name of a tensor that holds them.
  Json scale(std::size_t i) {
    Json whole = given(i);
    for (const char* key : {"mean", "std"}) {
      if (!whole.contains(key)) whole[key] = key == std::string_view("mean") ? 0.0 : 1.0;
      Json& value = whole[key];
      if (value.is_number()) value = Json::array({value});
      if (!value.is_string()) continue;
      const auto name = value.get<std::string>();
      const auto found = weights_.all().find(name);
      if (found == weights_.all().end()) {
        problems_.push_back(
            fmt::format("layer {}: the file has no tensor {}", i + 1, in_quotes(name)));
        continue;
      }
      const io::ArrayView& array = *found->second;
      std::vector<double> numbers(array.data.size() / io::size_of(array.type));
      if (numbers.empty() || numbers.size() > kLongest / 16)
        fail(fmt::format("layer {}: {} has {} numbers", i + 1, in_quotes(name), numbers.size()));
      io::to_floats(array, std::span<double>(numbers));
      result_.used.push_back(name);
      value = numbers;
    }
    return whole;
  }

  /// How an image, or a row of numbers, becomes the first layer's input.
  Json input() {
    spec::InputSpec input;
    input.pixels = given_.contains("input");  // otherwise nothing says how pixels are scaled
    for (const Json& layer : given_["layers"]) {
      const std::string type = text_of(layer, "type"), name = text_of(layer, "name");
      if (is_recurrent(type) || type == "linear" || type == "conv2d") {
        const bool recurrent = is_recurrent(type);
        const spec::Sizes& shape = weights_.shapes().at(result_.sources.at(name) +
                                                        (recurrent ? ".weight_ih_l0" : ".weight"));
        input.width = shape.size() == 2 ? shape[1] : 0;
        if (type == "conv2d") input.form = spec::Form::image;
        break;
      }
    }
    const bool sequences = std::ranges::any_of(
        given_["layers"], [](const Json& layer) { return is_recurrent(text_of(layer, "type")); });
    if (input.form != spec::Form::image && !sequences) {
      input.form = spec::Form::flat;
      input.height = 1;
    } else if (sequences && input.width == 1) {
      input.form = spec::Form::pixels;
      input.width = 0;
    }
    spec::ModelSpec one;
    one.input = input;
    Json whole = Json::parse(spec::to_json(one))["input"];
    if (const auto said = given_.find("input"); said != given_.end()) {
      if (!said->is_object()) fail("'input' is no object in braces");
      if (said->value("pixels", Json(true)) == false &&
          (said->contains("mean") || said->contains("std")))
        fail("'input' has no pixels, so 'mean' and 'std', which are of pixels, must be left out");
      whole.update(*said);
    }
    return whole;
  }

  /// The file as it is, a layer a line.
  std::string text() const {
    std::vector<std::string> lines;
    for (const Json& layer : given_["layers"]) {
      std::string line;
      for (const auto& item : layer.items())
        line += fmt::format("{}{}: {}", line.empty() ? "" : ", ", json_text(item.key()),
                            json_text(item.value()));
      lines.push_back("    {" + line + "}");
    }
    std::string all = fmt::format("{{\n  \"layers\": [\n{}\n  ]", fmt::join(lines, ",\n"));
    for (const auto& item : given_.items())
      if (item.key() != "layers")
        all += fmt::format(",\n  {}: {}", json_text(item.key()), json_text(item.value()));
    return all + "\n}\n";
  }

  Json given_;
  const WeightNames& weights_;
  const std::string& file_;
  Architecture result_;
  std::vector<std::string> problems_, open_;
};

}  // namespace

Architecture read_architecture(std::string_view text, const WeightNames& weights,
                               const std::string& file) {
  if (text.size() > kLongest)
    fail(file, fmt::format("{} bytes long, expected at most {}", text.size(), kLongest));
  Json json = parse_json(text, [&](std::string_view why) { fail(file, why); });
  if (!json.is_object()) fail(file, "it is not a JSON object");
  return Completion(std::move(json), weights, file).complete();
}

std::string with_questions(std::string_view text, const WeightNames& weights) {
  Json json = parse_json(text, [&](std::string_view why) { fail(weights.file(), why); });
  return Completion(std::move(json), weights, weights.file()).text_with_questions();
}

}  // namespace unroll::importer
