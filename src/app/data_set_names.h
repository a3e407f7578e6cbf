// The names that the command line offers where it takes a data set.
#pragma once

#include <string_view>
#include <vector>

namespace unroll::app {

/// The published sets, and the tasks, which need no data: adding and copy.
std::vector<std::string_view> data_set_names();

}  // namespace unroll::app
