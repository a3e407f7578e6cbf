#include "import/left_over.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <initializer_list>

namespace unroll::importer {
namespace {

/// "att.out_proj.weight" is weight "weight" of layer "att.out_proj".
std::string layer_of(const std::string& tensor) {
  const auto dot = tensor.rfind('.');
  return dot == std::string::npos ? std::string() : tensor.substr(0, dot);
}

std::string_view own_name(std::string_view name) { return name.substr(name.rfind('.') + 1); }

bool has_any(const WeightNames& weights, const std::string& layer,
             std::initializer_list<std::string_view> names) {
  return std::ranges::any_of(names, [&](std::string_view name) {
    return weights.shapes().contains(layer + "." + std::string(name));
  });
}

/// Whether the layer's own name contains one of `parts`, or equals one of `whole`. Ignores case.
bool is_called(std::string_view layer, std::initializer_list<std::string_view> parts,
               std::initializer_list<std::string_view> whole) {
  constexpr std::size_t kLongest = 64;  // of a layer's own name; the rest can't matter
  std::string own(own_name(layer).substr(0, kLongest));
  for (char& c : own)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return std::ranges::find(whole, own) != whole.end() ||
         std::ranges::any_of(
             parts, [&](std::string_view part) { return own.find(part) != std::string::npos; });
}

/// The kind of a layer that has weights which only this kind has.
std::string kind_by_names(const WeightNames& weights, const std::string& layer) {
  if (has_any(weights, layer, {"in_proj_weight", "q_proj_weight", "in_proj_bias"}))
    return "attention";
  if (has_any(weights, layer, {"running_mean", "running_var", "num_batches_tracked"}))
    return "batch normalisation";
  return {};
}

/// The kinds whose weight has one dimension and no bias.
constexpr const char* kVector = "normalisation, PReLU, a loss's weights or the like";

/// The kind of a layer, by its weight's number of dimensions.
std::string kind_by_weight(const WeightNames& weights, const std::string& layer) {
  const auto found = weights.shapes().find(layer + ".weight");
  if (found == weights.shapes().end()) return {};
  switch (found->second.size()) {
    case 1:
      return weights.shapes().contains(layer + ".bias") ? "layer normalisation or the like"
                                                        : kVector;
    case 4:
      return weights.has_recurrent() ? "a convolution of images beside a recurrent layer" : "";
    case 5:
      return "a convolution of volumes";
    default:
      return {};
  }
}

/// The kind of a weight that PyTorch computes from several tensors (a parametrization, spectral
/// norm, pruning), and of the bias beside it.
std::string kind_by_parts(const WeightNames& weights, const std::string& name) {
  constexpr const char* kKind =
      "a weight in parts (make it one with torch.nn.utils: parametrize.remove_parametrizations, "
      "remove_spectral_norm or prune.remove)";
  const std::string layer = layer_of(name);
  const std::string_view own = own_name(name);
  if (name.find("parametrizations.") != std::string::npos ||
      (own == "bias" &&
       has_any(weights, layer, {"weight_orig", "parametrizations.weight.original"})))
    return kKind;
  for (const std::string_view part : {"_orig", "_mask", "_u", "_v"})
    if (own.ends_with(part) &&
        weights.shapes().contains(name.substr(0, name.size() - part.size()) + "_orig"))
      return kKind;
  return {};
}

/// The kind of a linear layer, by the usual names of attention's layers and of embeddings.
std::string kind_by_calling(const WeightNames& weights, const std::string& layer) {
  if (is_called(layer, {"attn", "attention"},
                {"att", "q_proj", "k_proj", "v_proj", "query", "key", "value"}))
    return "attention, by its name";
  if (is_called_embedding(layer) && !weights.shapes().contains(layer + ".bias"))
    return "an embedding, by its name";
  return {};
}

}  // namespace

std::string kind_of(const WeightNames& weights, const std::string& name) {
  if (std::string kind = kind_by_parts(weights, name); !kind.empty()) return kind;
  const std::string layer = layer_of(name), above = layer_of(layer);
  if (own_name(layer).starts_with("layer_norm_") &&
      weights.shapes().contains(above + ".weight_ih_l0"))
    return {};  // a recurrent layer's own normalisation
  if (std::string kind = kind_by_names(weights, layer); !kind.empty()) return kind;
  if (own_name(layer) == "out_proj" && kind_by_names(weights, above) == "attention")
    return "attention";
  const std::string_view own = own_name(name);
  if (own != "weight" && own != "bias") return {};
  if (std::string kind = kind_by_weight(weights, layer); !kind.empty()) return kind;
  const auto weight = weights.shapes().find(layer + ".weight");
  return weight != weights.shapes().end() && weight->second.size() == 2
             ? kind_by_calling(weights, layer)
             : std::string();
}

std::string say_left_over(const WeightNames& weights, const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 256;  // more would make the line too long to search by eye
  std::vector<std::pair<std::string, std::vector<std::string>>> kinds;
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < std::min(kMost, names.size()); ++i) {
    std::string kind = kind_of(weights, names[i]);
    if (kind.empty()) {
      parts.push_back(weights.all().at(names[i])->name + " is not part of the model");
      continue;
    }
    auto found = std::ranges::find(kinds, kind, &decltype(kinds)::value_type::first);
    if (found == kinds.end())
      found = kinds.emplace(kinds.end(), std::move(kind), std::vector<std::string>{});
    found->second.push_back(fmt::format("{} [{}]", weights.all().at(names[i])->name,
                                        fmt::join(weights.shapes().at(names[i]), ", ")));
  }
  for (std::size_t k = kinds.size(); k-- > 0;) {
    const auto& [kind, tensors] = kinds[k];
    parts.insert(parts.begin(),
                 fmt::format("{} {} {}, which can't be imported", fmt::join(tensors, ", "),
                             tensors.size() == 1 ? "is" : "are", kind));
  }
  if (names.size() > kMost) parts.push_back(fmt::format("and {} more", names.size() - kMost));
  const bool may_be_surplus = std::ranges::any_of(names, [&](const std::string& name) {
    const std::string kind = kind_of(weights, name);
    return kind.empty() || kind == kVector;
  });
  if (may_be_surplus)
    parts.emplace_back("leave out tensors that the network does not need: --ignore NAME");
  return fmt::format("{}", fmt::join(parts, "; "));
}

bool is_called_embedding(std::string_view layer) {
  return is_called(layer, {"emb", "lookup", "token", "vocab"}, {"wte", "wpe"});
}

}  // namespace unroll::importer
