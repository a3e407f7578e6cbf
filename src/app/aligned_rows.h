// Rows of texts as a table.
#pragma once

#include <string>
#include <vector>

namespace unroll::app {

enum class Align { left, right };

/// A line for each row. All texts of a column have its width, with two blanks after it; the last
/// text of a row stays as it is.
std::string aligned_rows(const std::vector<std::vector<std::string>>& rows, Align align);

}  // namespace unroll::app
