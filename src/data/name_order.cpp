#include "data/name_order.h"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <optional>
#include <string_view>
#include <utility>

namespace unroll::data {
namespace {

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  return number;
}

}  // namespace

std::vector<std::int64_t> order_of_names(std::span<const std::string> names) {
  std::vector<std::int64_t> order(names.size()), numbers;
  std::iota(order.begin(), order.end(), 0);
  for (const std::string& name : names) {
    const auto number = whole_number(name);
    if (!number) break;
    numbers.push_back(*number);
  }
  const auto at = [](std::int64_t i) { return static_cast<std::size_t>(i); };
  if (numbers.size() == names.size())
    std::ranges::stable_sort(order, {}, [&](std::int64_t i) {
      return std::pair<std::int64_t, std::string_view>(numbers[at(i)], names[at(i)]);
    });
  else
    std::ranges::stable_sort(order, {},
                             [&](std::int64_t i) { return std::string_view(names[at(i)]); });
  return order;
}

void sort_names(std::vector<std::string>& names) {
  std::vector<std::string> sorted;
  sorted.reserve(names.size());
  for (const std::int64_t i : order_of_names(names))
    sorted.push_back(std::move(names[static_cast<std::size_t>(i)]));
  names = std::move(sorted);
}

}  // namespace unroll::data
