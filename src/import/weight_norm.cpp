#include "import/weight_norm.h"

#include <cmath>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace unroll::importer {
namespace {

using Arrays = std::map<std::string_view, const io::ArrayView*>;

/// The name of the weight whose direction is the tensor `direction`; empty if it is no direction.
/// Sets `length` to the name of the other part.
std::string weight_of(std::string_view direction, std::string& length) {
  constexpr std::string_view kOld = "_v", kNew = ".original1", kFolder = "parametrizations.";
  if (direction.ends_with(kNew)) {
    direction.remove_suffix(kNew.size());
    length = std::string(direction) + ".original0";
    const auto at = direction.rfind(kFolder);
    if (at == std::string_view::npos || (at > 0 && direction[at - 1] != '.')) return {};
    return std::string(direction.substr(0, at)) +
           std::string(direction.substr(at + kFolder.size()));
  }
  if (!direction.ends_with(kOld)) return {};
  direction.remove_suffix(kOld.size());
  length = std::string(direction) + "_g";
  const std::string_view own = direction.substr(direction.rfind('.') + 1);
  return own.starts_with("weight") ? std::string(direction) : std::string();
}

/// Whether g can be the length of v: each size is 1 or v's size, or g is a single number.
bool is_length_of(const io::ArrayView& g, const io::ArrayView& v) {
  if (!io::is_floating(g.type) || !io::is_floating(v.type)) return false;
  if (g.shape.empty()) return true;
  if (g.shape.size() != v.shape.size() || g.shape == v.shape) return false;
  for (std::size_t d = 0; d < g.shape.size(); ++d)
    if (g.shape[d] != 1 && g.shape[d] != v.shape[d]) return false;
  return true;
}

/// For each element of v, the index of its length in g.
std::vector<std::size_t> owners(const io::ArrayView& g, const io::ArrayView& v) {
  std::vector<std::size_t> owner(v.data.size() / io::size_of(v.type));
  if (g.shape.empty()) return owner;
  std::size_t inner = 1, stride = 1;  // strides of dimension d in v and in g
  for (std::size_t d = v.shape.size(); d-- > 0;) {
    const auto size = static_cast<std::size_t>(v.shape[d]);
    if (g.shape[d] != 1) {
      for (std::size_t i = 0; i < owner.size(); ++i) owner[i] += i / inner % size * stride;
      stride *= size;
    }
    inner *= size;
  }
  return owner;
}

std::vector<float> weight(const io::ArrayView& g, const io::ArrayView& v) {
  const auto lengths = io::floats_of<double>(g), direction = io::floats_of<double>(v);
  const std::vector<std::size_t> owner = owners(g, v);
  std::vector<double> norms(lengths.size());
  for (std::size_t i = 0; i < direction.size(); ++i) norms[owner[i]] += direction[i] * direction[i];
  for (double& norm : norms) norm = std::sqrt(norm);
  std::vector<float> result(direction.size());
  for (std::size_t i = 0; i < direction.size(); ++i)
    result[i] = static_cast<float>(lengths[owner[i]] * (direction[i] / norms[owner[i]]));
  return result;
}

}  // namespace

PutTogether without_weight_norm(std::span<const io::ArrayView> arrays) {
  Arrays by_name;
  for (const io::ArrayView& array : arrays) by_name[array.name] = &array;
  PutTogether result;
  std::set<std::string_view> lengths;  // already combined into a weight
  std::string length;
  for (const io::ArrayView& array : arrays) {
    const std::string name = weight_of(array.name, length);
    const auto g = name.empty() ? by_name.end() : by_name.find(length);
    if (g == by_name.end() || by_name.contains(name) || !is_length_of(*g->second, array)) {
      result.arrays.push_back(array);
      continue;
    }
    lengths.insert(g->first);
    const std::vector<float>& values = result.memory.emplace_back(weight(*g->second, array));
    result.arrays.push_back(
        {name, io::ElementType::f32, array.shape, std::as_bytes(std::span(values))});
  }
  std::erase_if(result.arrays, [&](const auto& array) { return lengths.contains(array.name); });
  return result;
}

}  // namespace unroll::importer
