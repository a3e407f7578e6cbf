#include "data/field_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "unroll/core/error.h"

namespace unroll::data {
namespace {

constexpr std::size_t kFirstBlock = 4096;  // a small text needs no large buffer
constexpr std::size_t kMark = 3;           // bytes of the byte order mark of UTF-8

}  // namespace

FieldReader::FieldReader(ContentReader& content, char separator, std::size_t block)
    : content_(content), separator_(separator), most_(block), block_(std::min(block, kFirstBlock)) {
  while (!ended_ && static_cast<std::size_t>(end_ - at_) < kMark) fill(at_);
  if (std::string_view(at_, static_cast<std::size_t>(end_ - at_)).starts_with("\xef\xbb\xbf"))
    at_ += kMark;
}

/// Reads one more block behind the text from `start` on, which moves to the front of the buffer.
/// The last line gets a line end if it has none. False if there is no more.
bool FieldReader::fill(const char*& start) {
  if (ended_) return false;
  const auto kept = static_cast<std::size_t>(end_ - start);
  constexpr std::size_t kEnds = 2;  // a line end and a zero
  if (buffer_.size() < kept + block_ + kEnds) {
    std::vector<char> larger(2 * kept + block_ + kEnds);
    if (kept > 0) std::memcpy(larger.data(), start, kept);
    buffer_.swap(larger);
  } else if (kept > 0) {
    std::memmove(buffer_.data(), start, kept);
  }
  char* const to = buffer_.data() + kept;
  const std::size_t n = content_.read({to, block_});
  at_ = start = buffer_.data();
  end_ = to + n;
  if (n > 0) line_is_open_ = to[n - 1] != '\n';
  ended_ = n < block_;
  block_ = std::min(2 * block_, most_);
  if (ended_ && line_is_open_) {
    to[n] = '\n';
    ++end_;
  }
  buffer_[static_cast<std::size_t>(end_ - buffer_.data())] = '\0';
  return end_ > to;
}

bool FieldReader::skip_empty_line() {
  if (at_ == end_ && !fill(at_)) return false;
  if (*at_ == '\r' && at_ + 1 == end_) fill(at_);
  const bool carriage_return = *at_ == '\r' && at_ + 1 != end_ && at_[1] == '\n';
  if (*at_ != '\n' && !carriage_return) return false;
  at_ += carriage_return ? 2 : 1;
  ++line_;
  return true;
}

Field FieldReader::next() {
  if (at_ == end_) fill(at_);
  if (*at_ == '"') return quoted();
  const char* p = at_;
  for (;;) {
    while (p != end_ && *p != separator_ && *p != '\n') ++p;
    const std::ptrdiff_t length = p - at_;
    if (static_cast<std::size_t>(length) > longest_field)
      refuse(line_, "the field has more than 1 MiB; is the separator right?");
    if (p != end_) break;
    fill(at_);  // there is more: the last line has an end
    p = at_ + length;
  }
  return finish({at_, static_cast<std::size_t>(p - at_)}, p);
}

/// A field in quotes: "a text with "", separators and line ends".
Field FieldReader::quoted() {
  const std::int64_t opened = line_;
  std::size_t length = 1;  // of the text up to here, with its quotes
  bool escaped = false;
  for (;;) {
    const char* const from = at_ + length;
    const auto* quote =
        static_cast<const char*>(std::memchr(from, '"', static_cast<std::size_t>(end_ - from)));
    if ((quote ? quote : end_) - at_ > static_cast<std::ptrdiff_t>(longest_field))
      refuse(opened, "the text of this quote has more than 1 MiB; is the closing quote missing?");
    if (!quote) {
      length = static_cast<std::size_t>(end_ - at_);
      if (!fill(at_))
        refuse(opened,
               "the quote that opens here is never closed; a quote within a text is written \"\"");
      continue;
    }
    // What follows decides: another quote, a carriage return before a line end.
    const auto here = static_cast<std::size_t>(quote - at_);
    while (static_cast<std::size_t>(end_ - at_) < here + 3 && fill(at_)) {
    }
    const char* const after = at_ + here + 1;
    if (*after == '"') {  // there is one: the last line has an end
      escaped = true;
      length = here + 2;
      continue;
    }
    std::string_view text(at_ + 1, here - 1);
    line_ += std::ranges::count(text, '\n');
    if (escaped) {
      unescaped_.clear();
      for (std::size_t i = 0; i < text.size(); ++i) {
        unescaped_ += text[i];
        if (text[i] == '"') ++i;  // the second of two
      }
      text = unescaped_;
    }
    const bool carriage_return = after + 1 < end_ && after[0] == '\r' && after[1] == '\n';
    const char* const delimiter = after + (carriage_return ? 1 : 0);
    if (*delimiter != separator_ && *delimiter != '\n')
      refuse(line_,
             "text follows the closing quote; a quote within a text is written \"\", and the "
             "whole text stands in quotes");
    const Field field = finish({}, delimiter);
    return {text, field.last};
  }
}

Field FieldReader::finish(std::string_view text, const char* delimiter) {
  const bool last = *delimiter == '\n';
  if (last && text.ends_with('\r')) text.remove_suffix(1);
  at_ = delimiter + 1;
  field_ = last ? 1 : field_ + 1;
  line_ += last;
  return {text, last};
}

void FieldReader::refuse(std::int64_t line, std::string_view text) const {
  throw FormatError("data", fmt::format("{}:{}:{}: {}", content_.path(), line, field_, text));
}

}  // namespace unroll::data
