// Guesses an architecture from the tensors' names, shapes and order in the file.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "import/architecture.h"
#include "import/doubts.h"
#include "import/left_over.h"
#include "spec/from_weights.h"
#include "spec/limits.h"

namespace unroll::importer {
namespace {

using Json = nlohmann::ordered_json;
using Names = std::vector<std::string>;

/// A layer as described by its weights.
struct Link {
  std::string type, name;             // the name in the file
  std::int64_t reads = 0, gives = 0;  // of a conv1d: what one group reads
  std::optional<spec::RecurrentSpec> recurrent = {};
  bool bias = true;

  std::string_view weight() const { return recurrent ? "weight_ih_l0" : "weight"; }
  bool is(std::string_view what) const { return type == what; }
};
using Chain = std::vector<Link>;

/// All layers that a model here can have, in the order of the file. This is nearly always the order
/// in which the network's class defines them.
Chain links_in_order(const WeightNames& weights) {
  // An empty tensor may claim any size.
  constexpr std::int64_t kLargest = std::int64_t{1} << 31;
  Chain links;
  for (const std::string& tensor : weights.in_order()) {
    const spec::Sizes& shape = weights.shapes().at(tensor);
    const std::string layer = tensor.substr(0, tensor.rfind('.'));
    if (tensor.ends_with(".weight_ih_l0")) {
      try {
        const auto r = spec::recurrent_from_weights(weights.shapes(), layer, {});
        links.push_back({std::string(spec::name_of(r.cell)), layer, r.input_size, r.features(), r});
      } catch (const FormatError& error) {
        throw FormatError("import", fmt::format("{}: {}", weights.file(), error.what()));
      }
    } else if (tensor.ends_with(".weight") && shape.size() >= 2 && shape.size() <= 4 &&
               std::ranges::min(shape) > 0 && std::ranges::max(shape) <= kLargest &&
               kind_of(weights, tensor).empty()) {
      links.push_back({shape.size() == 2   ? "linear"
                       : shape.size() == 3 ? "conv1d"
                                           : "conv2d",
                       layer,
                       shape[1],
                       shape[0],
                       {},
                       weights.shapes().contains(layer + ".bias")});
    }
    if (links.size() > spec::kMostLayers)
      throw FormatError("import",
                        fmt::format("{} has more than {} layers, the most that a model may have",
                                    weights.file(), spec::kMostLayers));
  }
  return links;
}

/// Tells whether a tensor can be part of any layer. Built once, because there may be many tensors.
struct Places {
  std::set<std::string> recurrent, others;             // layers
  std::map<std::string_view, std::string_view> parts;  // weights of recurrent layers
  std::set<std::int64_t> features;                     // numbers of features between layers
  std::set<spec::Sizes> states;                        // shapes of states, without 1s

  Places(const WeightNames& weights, const Chain& links) {
    for (const Link& link : links) {
      (link.recurrent ? recurrent : others).insert(link.name);
      features.insert({link.reads, link.gives});
      for (const char* state : {"h_0", "c_0"})
        if (link.recurrent) states.insert(shape_of_states(*link.recurrent, state));
    }
    parts = weights.parts_of(recurrent);
  }

  /// Whether a layer takes the tensor, or can take it if an architecture file says so.
  bool may_take(const std::string& tensor, const io::ArrayView& array) const {
    if (parts.contains(tensor)) return true;
    const auto dot = tensor.rfind('.');
    if (const std::string own = tensor.substr(dot + 1); own == "weight" || own == "bias")
      return dot != std::string::npos && others.contains(tensor.substr(0, dot));
    if (!io::is_floating(array.type)) return false;
    spec::Sizes shape = array.shape;
    std::erase(shape, 1);
    const bool scales = shape.empty() || (shape.size() == 1 && features.contains(shape[0]));
    return scales || (states.contains(shape) && may_be_states(tensor, array));
  }
};

/// Refuses a file with tensors that no layer can take. A question would not help there.
void refuse_what_has_no_place(const WeightNames& weights, const Chain& links) {
  const Places places(weights, links);
  Names without;
  for (const std::string& tensor : weights.in_order())
    if (!kind_of(weights, tensor).empty() || !places.may_take(tensor, *weights.all().at(tensor)))
      without.push_back(tensor);
  if (without.empty()) return;
  const bool embedding = std::ranges::any_of(without, [&](const std::string& tensor) {
    return is_called_embedding(tensor.substr(0, tensor.rfind('.')));
  });
  throw FormatError(
      "import", fmt::format("{}: some of its tensors fit into no model here: {}{}", weights.file(),
                            say_left_over(weights, without),
                            embedding ? "; if a linear layer has the name of an embedding, give it "
                                        "in --arch with \"bias\": false"
                                      : ""));
}

/// Whether b can read the output of a: all of it, or two readouts side by side. Also true for half
/// of two directions and for rows of an embedding, which are refused later with a reason.
bool fits(const Link& a, const Link& b, bool first) {
  if (b.reads == a.gives || (b.is("conv1d") && a.gives % b.reads == 0)) return true;
  if (a.recurrent && b.is("linear"))
    return b.reads == 2 * a.gives || (a.recurrent->bidirectional && 2 * b.reads == a.gives);
  return first && a.is("linear") && !a.bias && b.reads == a.reads;
}

bool fits_in_order(const Chain& links) {
  for (std::size_t i = 0; i + 1 < links.size(); ++i)
    if (!fits(links[i], links[i + 1], i == 0)) return false;
  return true;
}

/// An order of all layers in which each reads the width that the layer before gives. The first
/// layer reads `start` features. Prefers the given order where several orders fit. Empty if none
/// fits. Layers are the edges of a graph whose nodes are widths, so this is an Eulerian path.
/// Source: Hierholzer 1873.
Chain way_through(const Chain& links, std::int64_t start) {
  std::map<std::int64_t, std::vector<std::size_t>> reading;  // the next one last
  for (std::size_t i = links.size(); i-- > 0;) reading[links[i].reads].push_back(i);
  std::vector<std::size_t> open, way;
  constexpr std::size_t kStart = ~std::size_t{0};
  open.push_back(kStart);
  while (!open.empty()) {
    auto& next = reading[open.back() == kStart ? start : links[open.back()].gives];
    if (next.empty()) {
      way.push_back(open.back());
      open.pop_back();
    } else {
      open.push_back(next.back());
      next.pop_back();
    }
  }
  way.pop_back();  // the start
  if (way.size() != links.size()) return {};
  Chain chain;
  std::int64_t features = start;
  for (std::size_t i = way.size(); i-- > 0;) {
    if (links[way[i]].reads != features) return {};
    features = links[way[i]].gives;
    chain.push_back(links[way[i]]);
  }
  return chain;
}

/// An order in which sizes fit: recurrent layers on top of each other, sorted by name, and linear
/// layers before and behind.
std::optional<Chain> fitting(Chain links) {
  std::ranges::sort(links, [](const Link& a, const Link& b) {
    if (a.recurrent.has_value() != b.recurrent.has_value()) return a.recurrent.has_value();
    return spec::natural_before(a.name, b.name);
  });
  const auto linear = std::ranges::find_if(links, [](const Link& l) { return !l.recurrent; });
  const Chain recurrent(links.begin(), linear);
  Chain edges(linear, links.end());
  if (!recurrent.empty()) {  // the whole stack becomes one edge, the first in `edges`
    if (!fits_in_order(recurrent)) return {};
    edges.insert(edges.begin(), recurrent.front());
    edges.front().gives = recurrent.back().gives;
    edges.front().recurrent = recurrent.back().recurrent;
  }
  std::vector<std::int64_t> starts, outputs = {edges.empty() ? 0 : edges.front().gives};
  const auto given = [&](std::int64_t features) {
    return std::ranges::find(edges, features, &Link::gives) != edges.end();
  };
  for (const bool elsewhere : {false, true})
    for (const Link& edge : edges)
      if (given(edge.reads) == elsewhere) starts.push_back(edge.reads);
  if (!recurrent.empty()) {
    outputs.push_back(2 * outputs[0]);
    if (recurrent.back().recurrent->bidirectional) outputs.push_back(outputs[0] / 2);
  }
  for (const std::int64_t gives : outputs) {
    if (!edges.empty()) edges.front().gives = gives;
    for (const std::int64_t start : starts) {
      Chain way = way_through(edges, start);
      if (way.empty()) continue;
      if (recurrent.empty()) return way;
      const auto block = std::ranges::find_if(way, [](const Link& l) { return !!l.recurrent; });
      const auto at = way.erase(block);
      way.insert(at, recurrent.begin(), recurrent.end());
      return way;
    }
  }
  return {};
}

/// The text of an architecture file for the layers. Between them it adds layers without weights: an
/// activation, about which the user is asked, or flatten.
std::string file_of(const Chain& chain, const WeightNames& weights) {
  Json layers = Json::array();
  for (std::size_t i = 0; i < chain.size(); ++i) {
    const bool linear = chain[i].is("linear");
    if (i > 0 && linear && chain[i - 1].is("linear")) layers.push_back({{"type", "activation"}});
    if (i > 0 && linear && chain[i - 1].is("conv2d")) layers.push_back({{"type", "flatten"}});
    layers.push_back(
        {{"type", chain[i].type}, {"name", weights.short_name(chain[i].name, chain[i].weight())}});
  }
  Json file = Json::object();
  file["layers"] = layers;
  return file.dump();
}

/// Whether another order of the layers is possible.
bool is_order_open(const Chain& chain) {
  return chain.size() > 2 ||
         (chain.size() == 2 && (chain[0].is("linear") || chain[0].is("conv1d")));
}

Architecture complete(const Chain& chain, const WeightNames& weights, std::string_view order) {
  try {
    return read_architecture(file_of(chain, weights), weights, weights.file(), Author::guess);
  } catch (const OpenQuestions& open) {
    std::string text(open.reason());
    if (is_order_open(chain))
      text += fmt::format("; the order of the layers is a guess: {}", order);
    const auto has = [&](std::string_view type) {
      return std::ranges::any_of(chain, [&](const Link& link) { return link.is(type); });
    };
    if (has("conv2d"))
      text += "; add the layers without weights: activations and max_pool2d";
    else if (has("conv1d"))
      text += "; add the layers without weights: activations";
    throw OpenQuestions(text, open.architecture());
  }
}

[[noreturn]] void refuse_order(const Chain& links, const WeightNames& weights) {
  Names sizes;
  for (const Link& link : links)
    sizes.push_back(fmt::format("{} reads {} and gives {}", link.name, link.reads, link.gives));
  throw FormatError(
      "import",
      fmt::format("{}: its layers do not fit one after the other: {}. Layers side by side (several "
                  "heads, attention, a decoder beside an encoder, a cell written by hand) can't be "
                  "imported; if there is an order that fits, give it with --arch",
                  weights.file(), fmt::join(sizes, ", ")));
}

}  // namespace

Architecture guess_architecture(const WeightNames& weights) {
  const Chain links = links_in_order(weights);
  refuse_what_has_no_place(weights, links);
  if (links.empty())
    throw FormatError("import",
                      fmt::format("{} has no weight called NAME.weight_ih_l0 (nn.RNN, nn.LSTM, "
                                  "nn.GRU) or NAME.weight (nn.Linear, nn.Conv1d, nn.Conv2d); save "
                                  "model.state_dict()",
                                  weights.file()));
  const bool images =
      std::ranges::any_of(links, [](const Link& link) { return link.is("conv2d"); });
  if (images || (weights.has_order() && fits_in_order(links)))
    return complete(links, weights, "the order in the file");
  const std::optional<Chain> chain = fitting(links);
  if (!chain) refuse_order(links, weights);
  return complete(*chain, weights, "one in which their sizes fit");
}

}  // namespace unroll::importer
