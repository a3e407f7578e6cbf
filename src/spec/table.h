// The table of a description: its checks and its JSON form.
#pragma once

#include "spec/json_reader.h"
#include "unroll/spec/model_spec.h"

namespace unroll::spec {

/// Throws FormatError unless the columns of the table make the features of the input.
void check_table(const TableSpec& table, const InputSpec& input);

Json json_of(const TableSpec& table);
TableSpec table_from(const Json& json);

}  // namespace unroll::spec
