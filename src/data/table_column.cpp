#include "data/table_column.h"

#include <algorithm>

namespace unroll::data {

std::int32_t TextIndex::code_of(std::string_view text, std::vector<std::string>& texts) {
  if (2 * (texts.size() + 1) > slots_.size()) grow();
  const std::size_t hash = std::hash<std::string_view>{}(text), mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  for (; slots_[at] != none; at = (at + 1) & mask) {
    const auto known = static_cast<std::size_t>(slots_[at]);
    if (hashes_[known] == hash && texts[known] == text) return slots_[at];
  }
  slots_[at] = static_cast<std::int32_t>(texts.size());
  texts.emplace_back(text);
  hashes_.push_back(hash);
  return slots_[at];
}

void TextIndex::grow() {
  constexpr std::size_t kFirst = 16;
  slots_.assign(std::max(kFirst, 2 * slots_.size()), none);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = 0; i < hashes_.size(); ++i) {
    std::size_t at = hashes_[i] & mask;
    while (slots_[at] != none) at = (at + 1) & mask;
    slots_[at] = static_cast<std::int32_t>(i);
  }
}

bool ColumnBuilder::is_text_for(ValueKind value) const {
  switch (value) {
    case ValueKind::missing:
      return false;
    case ValueKind::number:
      return kind == ColumnKind::booleans;
    case ValueKind::boolean:
      return kind == ColumnKind::numbers;
    case ValueKind::out_of_range:
    case ValueKind::text:
      break;
  }
  return true;
}

bool ColumnBuilder::add(std::string_view text, char decimal) {
  if (kind == ColumnKind::ignored || is_wrong) return false;
  if (column.is_text) return add_text(text);
  const TableValue value = table_value(text, decimal);
  if (is_text_for(value.kind)) {
    is_wrong = true;
  } else if (value.kind == ValueKind::missing) {
    add_missing();
  } else {
    kind = value.kind == ValueKind::number ? ColumnKind::numbers : ColumnKind::booleans;
    column.numbers.push_back(value.number);
  }
  return false;
}

bool ColumnBuilder::add_text(std::string_view text) {
  std::vector<std::string>& texts = column.texts;
  std::vector<std::int32_t>& codes = column.codes;
  // Rows of one series follow each other: mostly it is the text of the row before.
  if (!codes.empty() && codes.back() != TextIndex::none &&
      texts[static_cast<std::size_t>(codes.back())] == text) {
    codes.push_back(codes.back());
    return false;
  }
  const std::size_t known = texts.size();
  const bool missing = kind == ColumnKind::words ? text.empty() : is_missing(text);
  codes.push_back(missing ? TextIndex::none : index.code_of(text, texts));
  return texts.size() > known;
}

}  // namespace unroll::data
