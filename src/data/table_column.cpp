#include "data/table_column.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace unroll::data {

template <class F>
TextIndex::Slot& TextIndex::slot_of(std::uint32_t hash, F&& is_it) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  while (slots_[at].code != none && !(slots_[at].hash == hash && is_it(slots_[at].code)))
    at = (at + 1) & mask;
  return slots_[at];
}

std::int32_t TextIndex::code_of(std::string_view text, std::vector<std::string>& texts) {
  if (2 * (texts.size() + 1) > slots_.size()) grow();
  const auto hash = static_cast<std::uint32_t>(std::hash<std::string_view>{}(text));
  Slot& slot = slot_of(
      hash, [&](std::int32_t code) { return texts[static_cast<std::size_t>(code)] == text; });
  if (slot.code == none) {
    slot = {static_cast<std::int32_t>(texts.size()), hash};
    texts.emplace_back(text);
  }
  return slot.code;
}

void TextIndex::grow() {
  constexpr std::size_t kFirst = 16;
  const std::vector<Slot> before =
      std::exchange(slots_, std::vector<Slot>(std::max(kFirst, 2 * slots_.size())));
  for (const Slot& slot : before)
    if (slot.code != none) slot_of(slot.hash, [](std::int32_t) { return false; }) = slot;
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
