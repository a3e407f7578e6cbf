#include "import/architecture.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <span>

#include "core/json.h"
#include "core/printable.h"
#include "core/suggest.h"
#include "import/doubts.h"
#include "import/input_told.h"
#include "import/left_over.h"
#include "import/recurrent_told.h"
#include "import/words.h"
#include "spec/cells.h"
#include "spec/damaged_description.h"
#include "spec/layer_weights.h"
#include "spec/limits.h"

namespace unroll::importer {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kLongest = 1 << 20;

std::string text_of(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool is_recurrent(std::string_view type) { return spec::find_cell(type).has_value(); }

// An empty tensor may claim any size.
constexpr std::int64_t kLargestSize = std::int64_t{1} << 31;

/// The channels that a convolution over steps reads, by its weight (out, in / groups, K). Counts a
/// number of groups that makes no sense as 1; spec::from_json refuses it later.
std::int64_t channels_read(const Json& layer, const spec::Sizes& weight) {
  const auto found = layer.find("groups");
  const bool told = found != layer.end() && found->is_number_integer();
  const std::int64_t groups = told ? found->get<std::int64_t>() : 1;
  return std::min(weight[1], kLargestSize) *
         (groups > 0 && groups <= kLargestSize ? groups : std::int64_t{1});
}

/// Completes an architecture with sizes from the weights, and gathers the questions that they leave
/// open.
class Completion {
 public:
  Completion(Json architecture, const WeightNames& weights, const std::string& file, Author author)
      : given_(std::move(architecture)), weights_(weights), file_(file), author_(author) {}

  Architecture complete() {
    Json layers = all_layers();
    if (std::string wrong = misspelt_beside_layers(given_); !wrong.empty())
      problems_.push_back(std::move(wrong));
    if (!problems_.empty())
      fail(fmt::format("{}{}", fmt::join(problems_, "; "), known_left_over()));
    ask_what_is_left();
    if (!open_.empty())
      throw OpenQuestions(fmt::format("the weights do not say {}", fmt::join(open_, ", ")),
                          text_of_file(given_));

    Json whole = {{"version", input_version}};
    whole["input"] = input_told(given_, layers, file_);
    whole["layers"] = std::move(layers);
    whole["output"] = "logits";
    whole["dataset"] = "";
    whole["classes"] = Json::array();
    for (const auto& item : given_.items())
      if (item.key() != "input" && item.key() != "layers") whole[item.key()] = item.value();
    try {
      result_.spec = spec::from_json(whole.dump());
    } catch (const spec::DamagedDescription& error) {
      fail(error.cause() + known_left_over());
    } catch (const FormatError& error) {
      fail(fmt::format("{}{}", error.reason(), known_left_over()));
    }
    return std::move(result_);
  }

 private:
  [[noreturn]] void fail(std::string_view why) const { importer::fail(file_, why); }

  Json all_layers() {
    const auto found = given_.find("layers");
    if (found == given_.end() || !found->is_array())
      fail("it has no 'layers', expected a list of layers in brackets");
    if (found->size() > spec::kMostLayers)
      fail(fmt::format("it has {} layers, expected at most {}", found->size(), spec::kMostLayers));
    Json layers = Json::array();
    constexpr std::size_t kMostProblems = 16;  // searching for similar names takes long
    for (std::size_t i = 0; i < found->size() && problems_.size() < kMostProblems; ++i)
      if (Json whole = layer(i); !whole.is_null()) layers.push_back(std::move(whole));
    return layers;
  }

  Json& given(std::size_t i) { return given_["layers"][i]; }

  /// Asks for a key that the layer lacks and the weights do not determine. The question shows the
  /// line to add, with the choices and the hint.
  void ask(std::size_t i, const char* key, const std::string& choices, std::string_view hint = "") {
    Json& layer = given(i);
    if (layer.contains(key)) return;
    layer[key] = choices;
    const std::string name = text_of(layer, "name");
    open_.push_back(fmt::format("the {} of {} (add \"{}\": \"{}\"{}{})", key,
                                name.empty() ? fmt::format("layer {}", i + 1) : name, key, choices,
                                hint.empty() ? "" : ": ", hint));
  }

  void ask_readout(std::size_t i, const spec::RecurrentSpec& r) {
    const std::string reader = linear_after(i);
    const Doubt doubt = doubt_readout(r, reader, reader.empty() ? 0 : read_after(i));
    if (!doubt.refusal.empty()) return add_problem(i, doubt.refusal);
    ask(i, "readout", doubt.choices, doubt.hint);
  }

  /// An nn.Embedding is no linear layer, but its weight looks like one's.
  void ask_whether_linear(std::size_t i, const std::string& from, const spec::Sizes& shape) {
    const bool first = result_.sources.size() == 1;
    const Doubt doubt = doubt_linear(from, shape, name_after(i), first ? read_after(i) : 0);
    if (!doubt.refusal.empty() && !given(i).contains("bias")) add_problem(i, doubt.refusal);
    if (!doubt.choices.empty()) ask(i, "bias", doubt.choices, doubt.hint);
  }

  void add_problem(std::size_t i, std::string_view what) {
    problems_.push_back(fmt::format("{}: {}", called(i), what));
  }

  /// Handles tensors that no layer takes. Some may be learnt states under another name, which the
  /// architecture must give. A guess asks about the rest; a user's file with open questions is
  /// refused.
  void ask_what_is_left() {
    std::vector<std::string> left = not_taken();
    std::map<spec::Sizes, std::vector<std::string>> by_shape;  // without dimensions of 1
    for (const std::string& name : without_states_.empty() ? std::vector<std::string>() : left) {
      spec::Sizes shape = weights_.shapes().at(name);
      std::erase(shape, 1);
      by_shape[std::move(shape)].push_back(name);
    }
    std::set<std::string> asked;
    for (const auto& [i, r] : without_states_) {
      for (const spec::LearntState& learnt : spec::learnt_states(r)) {
        const std::string state(learnt.name);
        const auto found = by_shape.find(shape_of_states(r, state));
        if (found == by_shape.end()) continue;
        const std::vector<std::string> states = possible_states(weights_, r, state, found->second);
        // If none of these tensors can be a state, no other layer needs to look at them.
        std::vector<std::string> others;
        if (!states.empty()) {
          ask(i, state.c_str(), choices(states), "its learnt initial state, by its shape");
          asked.insert(states.begin(), states.end());
          std::ranges::copy_if(found->second, std::back_inserter(others),
                               [&](const std::string& name) { return !asked.contains(name); });
        }
        found->second = std::move(others);
      }
    }
    std::erase_if(left, [&](const std::string& name) { return asked.contains(name); });
    if (left.empty()) return;
    if (author_ == Author::guess)
      open_.push_back(fmt::format(
          "the purpose of {} (a scale layer can name tensors as its mean and std)", listed(left)));
    else if (!open_.empty())
      throw FormatError("import", fmt::format("{}: the weights do not fit the model: {}",
                                              weights_.file(), say_left_over(weights_, left)));
  }

  /// "; ln.weight [8] is layer normalisation, which can't be imported": goes behind another
  /// problem.
  std::string known_left_over() const {
    std::vector<std::string> left = not_taken();
    std::erase_if(left, [&](const std::string& name) { return kind_of(weights_, name).empty(); });
    return left.empty() ? "" : "; " + say_left_over(weights_, left);
  }

  std::vector<std::string> not_taken() const {
    std::set<std::string> taken(result_.used.begin(), result_.used.end()), layers;
    for (const auto& [state, theirs] : result_.states) taken.insert(theirs);
    for (const auto& [layer, theirs] : result_.sources) layers.insert(theirs);
    const auto parts = weights_.parts_of(layers);
    std::vector<std::string> left;
    for (const auto& [name, array] : weights_.all())
      if (!taken.contains(name) && !parts.contains(name)) left.push_back(name);
    return left;
  }

  /// "a | b | c"
  static std::string choices(const std::vector<std::string>& names) {
    constexpr std::size_t kMost = 16;
    const std::span first(names.data(), std::min(names.size(), kMost));
    const std::string text = fmt::format("{}", fmt::join(first, " | "));
    return names.size() > kMost ? fmt::format("{} | {} more", text, names.size() - kMost) : text;
  }

  /// "layer 2 (fc)".
  std::string called(std::size_t i) {
    const std::string name = text_of(given(i), "name");
    return name.empty() ? fmt::format("layer {}", i + 1)
                        : fmt::format("layer {} ({})", i + 1, printable(name));
  }

  /// The place of the next layer with weights, or the place behind the last layer.
  std::size_t layer_after(std::size_t i) {
    const Json& layers = given_["layers"];
    do ++i;
    while (i < layers.size() && !(layers[i].is_object() && layers[i].contains("name")));
    return i;
  }

  std::string name_after(std::size_t i) {
    const std::size_t next = layer_after(i);
    return next < given_["layers"].size() ? text_of(given(next), "name") : "";
  }

  /// The number of features that the next layer with weights reads; 0 if there is no such layer, or
  /// its width is unknown.
  std::int64_t read_after(std::size_t i) {
    const std::string name = name_after(i);
    if (name.empty()) return 0;
    const std::string weight =
        is_recurrent(text_of(given(layer_after(i)), "type")) ? "weight_ih_l0" : "weight";
    const auto from = weights_.layers(name, weight);
    if (from.size() != 1) return 0;
    const spec::Sizes& shape = weights_.shapes().at(from.front() + "." + weight);
    if (shape.size() == 3) return channels_read(given(layer_after(i)), shape);
    return shape.size() == 2 && shape[1] <= kLargestSize ? shape[1] : 0;
  }

  /// The next layer's name, if it is a linear layer.
  std::string linear_after(std::size_t i) {
    const Json& layers = given_["layers"];
    if (i + 1 == layers.size() || !layers[i + 1].is_object()) return {};
    return text_of(layers[i + 1], "type") == "linear" ? text_of(layers[i + 1], "name") : "";
  }

  /// The layer's name in the weights file. Adds a problem and returns an empty text if the file has
  /// no such layer.
  std::string source(std::size_t i, std::string_view weight) {
    const std::string name = text_of(given(i), "name");
    if (name.empty()) {
      problems_.push_back(
          fmt::format("layer {} has no 'name', expected its name in the weights file", i + 1));
      return {};
    }
    if (result_.sources.contains(name)) {
      problems_.push_back(
          fmt::format("layer {} has the name of an earlier layer, {}; each layer needs its own",
                      i + 1, in_quotes(name)));
      return {};
    }
    const std::vector<std::string> found = weights_.layers(name, weight);
    if (found.size() != 1) {
      problems_.push_back(found.empty() ? no_such(i, name, weight)
                                        : fmt::format("layer {}: {} may be several layers of {}: "
                                                      "{}; write the full name of one",
                                                      i + 1, in_quotes(name), weights_.file(),
                                                      listed(found)));
      return {};
    }
    result_.sources[name] = found.front();
    return found.front();
  }

  std::string no_such(std::size_t i, const std::string& name, std::string_view weight) const {
    const std::vector<std::string>& there = weights_.layers_with(weight);
    const std::vector<std::string_view> names(there.begin(), there.end());
    return fmt::format("layer {0}: {1} has no {2}.{3}; layers with a {3}: {4}{5}", i + 1,
                       weights_.file(), in_quotes(name), weight,
                       there.empty() ? "none" : listed(there), did_you_mean(name, names));
  }

  /// "a, b, c", or the first names "and N more".
  static std::string listed(const std::vector<std::string>& names) {
    constexpr std::size_t kMost = 16;
    std::string text;
    for (std::size_t i = 0; i < std::min(kMost, names.size()); ++i)
      text += (i == 0 ? "" : ", ") + printable(names[i]);
    return names.size() > kMost ? fmt::format("{} and {} more", text, names.size() - kMost) : text;
  }

  Json layer(std::size_t i) {
    const Json said = given(i);
    if (!said.is_object())
      fail(fmt::format("layer {} has the wrong type, expected an object in braces", i + 1));
    const std::string type = text_of(said, "type");
    if (type.empty()) fail(fmt::format("layer {} has no 'type'", i + 1));
    Json whole;
    if (const std::string wrong = misspelt_in_layer(said); !wrong.empty()) {
      problems_.push_back(fmt::format("{}: {}", called(i), wrong));
    } else if (is_recurrent(type)) {
      whole = recurrent(i, type);
    } else if (type == "linear") {
      whole = linear(i);
    } else if (type == "conv1d") {
      whole = convolution_of_steps(i);
    } else if (type == "conv2d") {
      whole = convolution_of_images(i);
    } else if (type == "scale") {
      return scale(i);
    } else if (type == "residual") {
      whole = json_of(spec::ResidualSpec{});
    } else if (type == "activation") {
      ask(i, "function", "relu | tanh | sigmoid");
      if (const auto ending = ending_named(text_of(said, "function"))) return take(i, *ending);
      whole = said;
    } else {
      whole = said;
    }
    if (!whole.is_object()) return whole;
    whole.update(said);
    for (const char* state : {"h_0", "c_0"}) whole.erase(state);  // names of tensors
    return whole;
  }

  /// Takes the original's last step off: the model ends before it.
  Json take(std::size_t i, Ending ending) {
    if (i + 1 != given_["layers"].size())
      add_problem(i, fmt::format("{} can only be the last layer", name_of(ending)));
    if (const auto output = given_.find("output"); output != given_.end() && *output != "logits")
      add_problem(i, fmt::format("{} needs \"output\": \"logits\"", name_of(ending)));
    result_.ending = ending;
    return {};
  }

  Json recurrent(std::size_t i, const std::string& type) {
    const bool inner = has_reader_of_steps(i);
    if (type == "rnn") ask(i, "nonlinearity", "tanh | relu");
    const std::string from = source(i, "weight_ih_l0");
    if (from.empty()) return {};
    try {
      auto r = recurrent_told(weights_, from, spec::cell_named(type));
      take_states(i, r);
      if (inner)
        r.readout = spec::Readout::every_step;
      else
        ask_readout(i, r);
      return json_of(r);
    } catch (const Error& error) {
      problems_.emplace_back(error.reason());
      return {};
    }
  }

  /// Takes the learnt states that the architecture names, whose tensors have another name in the
  /// file.
  void take_states(std::size_t i, spec::RecurrentSpec& r) {
    bool named = false;
    for (const char* state : {"h_0", "c_0"}) {
      const std::string name = text_of(given(i), state);
      if (name.empty()) continue;
      named = true;
      const std::vector<std::string> found = weights_.tensors(name);
      if (found.size() == 1)
        result_.states[fmt::format("{}.{}", text_of(given(i), "name"), state)] = found.front();
      else
        add_problem(i, no_such_tensor(name, found));
    }
    if (!named && !r.learn_initial_state) without_states_.emplace_back(i, r);
    r.learn_initial_state = r.learn_initial_state || named;
  }

  std::string no_such_tensor(const std::string& name, const std::vector<std::string>& found) const {
    if (found.empty()) return fmt::format("{} has no tensor {}", weights_.file(), in_quotes(name));
    return fmt::format("{} may be several tensors of {}: {}; write the full name of one",
                       in_quotes(name), weights_.file(), listed(found));
  }

  /// Whether the next layer with weights is recurrent or a convolution over steps, and so reads
  /// every step.
  bool has_reader_of_steps(std::size_t i) {
    const Json& layers = given_["layers"];
    for (++i; i < layers.size(); ++i) {
      const std::string type = layers[i].is_object() ? text_of(layers[i], "type") : "";
      if (is_recurrent(type) || type == "conv1d") return true;
      if (type != "activation" && type != "scale" && type != "residual") return false;
    }
    return false;
  }

  Json linear(std::size_t i) {
    const std::string from = source(i, "weight");
    if (from.empty()) return {};
    const spec::Sizes& shape = weights_.shapes().at(from + ".weight");
    if (shape.size() != 2) return misshapen(from, shape, "[out_features, in_features]");
    if (!weights_.shapes().contains(from + ".bias")) ask_whether_linear(i, from, shape);
    return json_of(
        spec::LinearSpec{"", shape[1], shape[0], weights_.shapes().contains(from + ".bias")});
  }

  /// Nothing is guessed: padding and another dilation fit together, and other groups read another
  /// number of channels.
  Json convolution_of_steps(std::size_t i) {
    ask(i, "stride", "1 | another number");
    const auto causal = given(i).find("causal");
    if (causal == given(i).end() || *causal == false)
      ask(i, "padding", "0 | another number",
          "zeros at each end; for zeros at the start only, which make it causal, \"causal\": true");
    ask(i, "dilation", "1 | another number");
    ask(i, "groups", "1 | another number");
    const std::string from = source(i, "weight");
    if (from.empty()) return {};
    const spec::Sizes& shape = weights_.shapes().at(from + ".weight");
    if (shape.size() != 3) return misshapen(from, shape, "[out, in / groups, kernel]");
    return json_of(spec::Conv1dSpec{.name = "",
                                    .in_channels = channels_read(given(i), shape),
                                    .out_channels = shape[0],
                                    .windows = {.kernel = shape[2]},
                                    .bias = weights_.shapes().contains(from + ".bias")});
  }

  Json convolution_of_images(std::size_t i) {
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

  /// mean and std may be a number, a list, or the name of a tensor with the numbers.
  Json scale(std::size_t i) {
    Json whole = given(i);
    for (const char* key : {"mean", "std"}) {
      if (!whole.contains(key)) whole[key] = key == std::string_view("mean") ? 0.0 : 1.0;
      Json& value = whole[key];
      if (value.is_number()) value = Json::array({value});
      if (!value.is_string()) continue;
      const auto name = value.get<std::string>();
      const std::vector<std::string> found = weights_.tensors(name);
      if (found.size() != 1) {
        add_problem(i, no_such_tensor(name, found));
        continue;
      }
      const io::ArrayView& array = *weights_.all().at(found.front());
      const std::size_t count = array.data.size() / io::size_of(array.type);
      scale_numbers_ += count;
      if (count == 0 || scale_numbers_ > kLongest / 16)
        fail(
            fmt::format("layer {}: {} has {} numbers, expected 1 to {} in all scale layers "
                        "together",
                        i + 1, in_quotes(name), count, kLongest / 16));
      std::vector<double> numbers(count);
      io::to_floats(array, std::span<double>(numbers));
      result_.used.push_back(found.front());
      value = numbers;
    }
    return whole;
  }

  Json given_;
  const WeightNames& weights_;
  const std::string& file_;
  const Author author_;
  Architecture result_;
  std::vector<std::pair<std::size_t, spec::RecurrentSpec>> without_states_;  // layers
  std::vector<std::string> problems_, open_;
  std::size_t scale_numbers_ = 0;  // taken from tensors, all layers together
};

}  // namespace

Architecture read_architecture(std::string_view text, const WeightNames& weights,
                               const std::string& file, Author author) {
  if (text.size() > kLongest)
    fail(file, fmt::format("it has {} bytes, expected at most {}", text.size(), kLongest));
  Json json = parse_json(text, [&](std::string_view why) { fail(file, why); });
  if (!json.is_object()) fail(file, "it is not a JSON object; expected {\"layers\": [...]}");
  return Completion(std::move(json), weights, file, author).complete();
}

}  // namespace unroll::importer
