// Reads a table from any text.
#pragma once

#include <cstddef>

#include "data/content_reader.h"
#include "data/field_reader.h"
#include "unroll/data/table.h"

namespace unroll::data {

/// As data::read_table(). `content` may be a text in memory. The result does not depend on `block`,
/// the number of bytes that are read at a time.
Table read_table(ContentReader& content, const TableOptions& options = {},
                 std::size_t block = FieldReader::usual_block);

}  // namespace unroll::data
