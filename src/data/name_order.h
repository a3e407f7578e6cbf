// The order of names of classes and series.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace unroll::data {

/// The indices of names in their order: by number if all are whole numbers ("9" before "10"), else
/// by bytes. Equal names keep their order.
std::vector<std::int64_t> order_of_names(std::span<const std::string> names);

/// Sorts names so.
void sort_names(std::vector<std::string>& names);

}  // namespace unroll::data
