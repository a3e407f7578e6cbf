// Short lists in messages.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace unroll {

/// "a, b or c"
std::string text_with_or(const std::vector<std::string>& items);

/// Lists the first things and counts the rest, because a file may have errors in thousands of
/// tensors.
class ListText {
 public:
  static constexpr std::size_t most = 64;

  void add(std::string item) {
    if (++count_ <= most) first_.push_back(std::move(item));
  }
  bool empty() const { return count_ == 0; }
  /// "a, b, c and 12 more"
  std::string text(std::string_view separator = ", ") const;

 private:
  std::vector<std::string> first_;
  std::size_t count_ = 0;
};

}  // namespace unroll
