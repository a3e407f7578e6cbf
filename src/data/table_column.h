// A column of a table while it is read.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "data/table_value.h"
#include "unroll/data/table.h"

namespace unroll::data {

/// The different texts of a column, each with its number.
class TextIndex {
 public:
  static constexpr std::int32_t none = -1;

  /// The number of a text in `texts`; appends it if it is new.
  std::int32_t code_of(std::string_view text, std::vector<std::string>& texts);

 private:
  /// 2^31 texts need 2^32 slots at most, for which 32 bits of the hash are enough.
  struct Slot {
    std::int32_t code = none;  // none: the slot is free
    std::uint32_t hash = 0;
  };

  /// The slot of this hash for which is_it(code), or the free slot where it belongs.
  template <class F>
  Slot& slot_of(std::uint32_t hash, F&& is_it);
  void grow();

  std::vector<Slot> slots_;  // a power of two, at least half of them free
};

enum class ColumnKind {
  unknown,  // only missing values so far
  numbers,
  booleans,
  texts,
  words,  // texts in which only an empty field is missing
  ignored,
};

/// A column that grows by one value a row.
struct ColumnBuilder {
  TableColumn column;
  ColumnKind kind = ColumnKind::unknown;
  TextIndex index = {};
  /// A value shows that the column is one of texts, and earlier ones were stored as numbers: it has
  /// to be read again.
  bool is_wrong = false;

  bool may_be_numbers() const { return kind <= ColumnKind::numbers; }
  void add_number(float number) {
    kind = ColumnKind::numbers;
    column.numbers.push_back(number);
  }
  /// True if it is a text that no row before has.
  bool add(std::string_view text, char decimal);
  void add_missing() {
    if (column.is_text)
      column.codes.push_back(TextIndex::none);
    else if (kind != ColumnKind::ignored)
      column.numbers.push_back(std::numeric_limits<float>::quiet_NaN());
  }
  /// Whether values of this kind show that the column is one of texts.
  bool is_text_for(ValueKind value) const;

 private:
  bool add_text(std::string_view text);
};

}  // namespace unroll::data
