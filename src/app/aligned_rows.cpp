#include "app/aligned_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

namespace unroll::app {

std::string aligned_rows(const std::vector<std::vector<std::string>>& rows, Align align) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i)
      text += i + 1 == row.size()    ? row[i] + "\n"
              : align == Align::left ? fmt::format("{:<{}}  ", row[i], widths[i])
                                     : fmt::format("{:>{}}  ", row[i], widths[i]);
  return text;
}

}  // namespace unroll::app
