#include "import/doubts.h"

#include <fmt/format.h>

#include <algorithm>

#include "import/left_over.h"
#include "spec/cells.h"
#include "spec/layer_weights.h"

namespace unroll::importer {
namespace {

constexpr const char* kReadouts = "last | mean | max | mean_last | every_step";

bool is_called_cell_state(std::string_view tensor) {
  const std::string_view own = tensor.substr(tensor.rfind('.') + 1);
  return own.starts_with('c') || own.starts_with('C') || own.ends_with("_c") ||
         own.find("cell") != std::string_view::npos || own.find("c0") != std::string_view::npos;
}

bool is_called_state(std::string_view tensor) {
  const std::string_view own = tensor.substr(tensor.rfind('.') + 1);
  return is_called_cell_state(tensor) || own.starts_with('h') || own.ends_with("_h") ||
         own.find("init") != std::string_view::npos || own.find("state") != std::string_view::npos;
}

}  // namespace

Doubt doubt_readout(const spec::RecurrentSpec& r, const std::string& reader, std::int64_t reads) {
  const std::int64_t gives = r.directions() * r.state_size();
  if (r.bidirectional && 2 * reads == gives)
    return {
        "", "",
        fmt::format("{} reads {} numbers, half of the {} that both directions of {} give together; "
                    "a sum or mean of the directions, or one direction alone, can't be imported",
                    reader, reads, gives, r.name)};
  if (reads == 2 * gives)
    return {"mean_last",
            fmt::format("{} reads {} numbers, twice the {} of a state; only cat([mean over the "
                        "steps, last state]) can be imported, not mean and max, last and max, "
                        "h_n and c_n or other pairs",
                        reader, reads, gives),
            ""};
  if (!r.bidirectional) return {kReadouts, "", ""};
  return {kReadouts,
          "with two directions, \"last\" is cat([h_n[-2], h_n[-1]], -1): the forward direction "
          "after the last step, the backward one after step 0; output[:, -1], where the backward "
          "direction has read only one step, can't be imported",
          ""};
}

Doubt doubt_linear(const std::string& layer, const spec::Sizes& shape, const std::string& next,
                   std::int64_t reads) {
  const std::string what = fmt::format("{}.weight [{}, {}] has no bias", layer, shape[0], shape[1]);
  const std::string if_linear = fmt::format(
      "if it is an nn.Linear({}, {}, bias=False), write \"bias\": false", shape[1], shape[0]);
  if (is_called_embedding(layer))
    return {"", "",
            fmt::format("{} and a name like an nn.Embedding, which can't be imported; {}", what,
                        if_linear)};
  if (reads != shape[1]) return {};
  if (shape[0] != shape[1])
    return {
        "", "",
        fmt::format("{} and {} reads {} numbers: it is an nn.Embedding of {} words, which can't "
                    "be imported",
                    what, next, reads, shape[0])};
  return {
      "false | an nn.Embedding can't be imported",
      fmt::format("{}, so it may be an nn.Embedding, which can't be imported; {}", what, if_linear),
      ""};
}

spec::Sizes shape_of_states(const spec::RecurrentSpec& r, std::string_view state) {
  spec::Sizes shape;
  for (const spec::LearntState& learnt : spec::learnt_states(r))
    if (learnt.name == state) shape = learnt.shape;
  std::erase(shape, 1);
  return shape;
}

bool may_be_states(const std::string& name, const io::ArrayView& array) {
  // A vector may be anything, unless its name is that of a state.
  return io::is_floating(array.type) && (array.shape.size() > 1 || is_called_state(name)) &&
         !name.ends_with(".weight") && !name.ends_with(".bias");
}

std::vector<std::string> possible_states(const WeightNames& weights, const spec::RecurrentSpec& r,
                                         const std::string& state,
                                         const std::vector<std::string>& tensors) {
  std::vector<std::string> fitting, called_so;
  for (const std::string& name : tensors) {
    const io::ArrayView& array = *weights.all().at(name);
    spec::Sizes shape = array.shape;
    std::erase(shape, 1);
    if (shape != shape_of_states(r, state) || !may_be_states(name, array)) continue;
    fitting.push_back(name);
    if (spec::info_of(r).has_memory() && is_called_cell_state(name) == (state == "c_0"))
      called_so.push_back(name);
  }
  return called_so.empty() ? fitting : called_so;
}

}  // namespace unroll::importer
