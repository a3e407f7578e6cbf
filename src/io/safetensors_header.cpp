#include "io/safetensors_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <utility>

#include "core/json_events.h"
#include "core/printable.h"
#include "unroll/core/error.h"

namespace unroll::io {
namespace {

// Limits that keep reading, and searching for names, below a second. The official library's limit
// is 100 MB. A checkpoint of the largest model has 92,000 tensors and 16 MB of header.
constexpr std::uint64_t max_header_length = std::uint64_t{1} << 25;
constexpr std::size_t max_tensors = 1 << 17, max_name_length = 1024, max_metadata = 1 << 12;
constexpr std::size_t max_dimensions = 64;  // PyTorch's limit

constexpr std::pair<std::string_view, ElementType> type_names[] = {
    {"F32", ElementType::f32},     {"F64", ElementType::f64}, {"F16", ElementType::f16},
    {"BF16", ElementType::bf16},   {"I64", ElementType::i64}, {"I32", ElementType::i32},
    {"I16", ElementType::i16},     {"I8", ElementType::i8},   {"U8", ElementType::u8},
    {"BOOL", ElementType::boolean}};

[[noreturn]] void fail_header(const std::string& file, std::string_view what) {
  throw FormatError(safetensors_operation,
                    fmt::format("{}: {}; the file is damaged or not a safetensors file, save or "
                                "download it again",
                                file, what));
}

/// The error for a file that may be valid but exceeds a limit.
[[noreturn]] void above_limit(const std::string& file, std::string_view what) {
  throw FormatError(
      safetensors_operation,
      fmt::format("{}: {}; is it the right file? If so, save or download it again", file, what));
}

// Accepts {"__metadata__": {text: text}, name: {"dtype", "shape", "data_offsets"}}. Other fields of
// a tensor are skipped, as in the official library.
class HeaderReader final : public JsonEvents {
 public:
  explicit HeaderReader(const std::string& file) : file_(file) {}

  Header take() { return std::move(header_); }

  bool start_object(std::size_t) override {
    if (is_skipped()) return open_skipped();
    if (place_ == Place::outside) return enter(Place::header);
    if (place_ != Place::header) return unexpected("an object");
    seen_fields_.clear();
    if (name_ == metadata_key) return enter(Place::metadata);
    if (!is_good_name(name_))
      throw FormatError(safetensors_operation,
                        fmt::format("{}: tensor name {} is empty or has control characters, which "
                                    "is not supported; rename it",
                                    file_, in_quotes(name_)));
    if (name_.size() > max_name_length)
      above_limit(file_, fmt::format("tensor name {} has {} bytes, more than the limit of {}",
                                     in_quotes(name_), name_.size(), max_name_length));
    if (header_.entries.size() == max_tensors)
      above_limit(file_, fmt::format("it has more tensors than the limit of {}", max_tensors));
    entry_ = {};
    entry_.name = name_;
    return enter(Place::tensor);
  }

  bool end_object() override {
    if (skipped_depth_ > 0) return close_skipped();
    if (place_ == Place::header) return enter(Place::outside);
    if (place_ == Place::tensor) {
      for (const char* field : {"dtype", "shape", "data_offsets"})
        if (!seen_fields_.contains(field))
          fail_header(file_, fmt::format("tensor {} has no \"{}\"", in_quotes(name_), field));
      header_.entries.push_back(std::move(entry_));
    }
    return enter(Place::header);
  }

  bool key(std::string& text) override {
    if (skipped_depth_ > 0) return true;
    if (place_ == Place::header) {
      if (!seen_names_.insert(text).second)
        fail_header(file_, fmt::format("the header has the key {} twice", in_quotes(text)));
      name_ = text;
      return true;
    }
    field_ = text;
    if (is_skipped()) return true;
    if (!seen_fields_.insert(text).second)
      fail_header(file_, fmt::format("{} has the key {} twice", in_quotes(name_), in_quotes(text)));
    return true;
  }

  bool string(std::string& text) override {
    if (is_skipped()) return true;
    if (place_ == Place::metadata) {
      if (header_.metadata.size() == max_metadata)
        above_limit(file_,
                    fmt::format("its metadata has more keys than the limit of {}", max_metadata));
      header_.metadata.emplace(field_, text);
      return true;
    }
    if (place_ != Place::tensor || field_ != "dtype") return unexpected("a string");
    const auto* found = std::find_if(std::begin(type_names), std::end(type_names),
                                     [&](const auto& pair) { return pair.first == text; });
    if (found == std::end(type_names))
      throw FormatError(safetensors_operation,
                        fmt::format("{}: tensor {} has element type {}, which is not supported; "
                                    "save it as F32 or F64",
                                    file_, in_quotes(name_), in_quotes(text)));
    entry_.type = found->second;
    return true;
  }

  bool start_array(std::size_t) override {
    if (is_skipped()) return open_skipped();
    if (place_ != Place::tensor) return unexpected("an array");
    if (field_ == "shape") return enter(Place::shape);
    if (field_ == "data_offsets") return enter(Place::offsets);
    return unexpected("an array");
  }

  bool end_array() override {
    if (skipped_depth_ > 0) return close_skipped();
    if (place_ == Place::offsets) {
      if (offsets_.size() != 2)
        fail_header(file_, fmt::format("tensor {} has {} data_offsets, not 2", in_quotes(name_),
                                       offsets_.size()));
      entry_.begin = offsets_[0];
      entry_.end = offsets_[1];
      offsets_.clear();
    }
    return enter(Place::tensor);
  }

  bool number_unsigned(std::uint64_t value) override {
    if (is_skipped()) return true;
    if (place_ == Place::shape) {
      if (entry_.shape.size() == max_dimensions)
        above_limit(file_, fmt::format("tensor {} has more dimensions than the limit of {}",
                                       in_quotes(name_), max_dimensions));
      if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
        fail_header(file_, fmt::format("tensor {} has a dimension of {}", in_quotes(name_), value));
      entry_.shape.push_back(static_cast<std::int64_t>(value));
      return true;
    }
    if (place_ != Place::offsets) return unexpected("a number");
    if (offsets_.size() == 2)
      fail_header(file_, fmt::format("tensor {} has more than 2 data_offsets", in_quotes(name_)));
    offsets_.push_back(value);
    return true;
  }

  bool number_integer(std::int64_t value) override {  // the parser's name for "negative"
    if (is_skipped()) return true;
    if (place_ != Place::shape && place_ != Place::offsets) return unexpected("a number");
    fail_header(
        file_, fmt::format("tensor {} has a negative size or offset, {}", in_quotes(name_), value));
  }

  bool number_float(double, const std::string&) override {
    return is_skipped() || unexpected("a number that is not an integer of 64 bits");
  }
  bool null() override {
    const bool no_metadata = place_ == Place::header && name_ == metadata_key;
    return no_metadata || is_skipped() || unexpected("null");
  }
  bool boolean(bool) override { return is_skipped() || unexpected("a boolean"); }
  bool binary(nlohmann::ordered_json::binary_t&) override { return unexpected("binary data"); }

  // Not the parser's own text, because it quotes the input, which may be long and hold any byte.
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    fail_header(file_, fmt::format("the header is not JSON in UTF-8 (byte {} of it)", position));
  }

 private:
  enum class Place { outside, header, metadata, tensor, shape, offsets };

  bool enter(Place place) {
    place_ = place;
    return true;
  }

  /// Whether the next value is, or lies in, an unknown field.
  bool is_skipped() const {
    return skipped_depth_ > 0 || (place_ == Place::tensor && field_ != "dtype" &&
                                  field_ != "shape" && field_ != "data_offsets");
  }
  bool open_skipped() {
    ++skipped_depth_;
    return true;
  }
  bool close_skipped() {
    --skipped_depth_;
    return true;
  }

  [[noreturn]] bool unexpected(std::string_view what) const {
    fail_header(file_,
                fmt::format("the header has {} in a place where the format allows none (at key {})",
                            what, in_quotes(name_)));
  }

  const std::string& file_;
  Header header_;
  Place place_ = Place::outside;
  std::size_t skipped_depth_ = 0;  // depth of the skipped objects and arrays
  std::string name_, field_;
  std::set<std::string, std::less<>> seen_names_, seen_fields_;
  HeaderEntry entry_;
  std::vector<std::uint64_t> offsets_;
};

void check_layout(const std::vector<HeaderEntry>& entries, std::uint64_t data_size,
                  const std::string& file) {
  std::uint64_t position = 0;
  for (const HeaderEntry& entry : entries) {
    if (entry.end < entry.begin || entry.end > data_size)
      fail_header(
          file,
          fmt::format(
              "tensor {} has data_offsets [{}, {}], outside the {} bytes of data or backwards",
              in_quotes(entry.name), entry.begin, entry.end, data_size));
    std::uint64_t bytes = 0;
    if (!bytes_of(entry.type, entry.shape, bytes) || bytes != entry.end - entry.begin)
      fail_header(file, fmt::format("tensor {} of shape [{}] and type {} does not fit its {} bytes",
                                    in_quotes(entry.name), fmt::join(entry.shape, ", "),
                                    name_of(entry.type), entry.end - entry.begin));
    if (entry.begin != position)
      fail_header(file, fmt::format("tensor {} starts at byte {} of the data, {} (expected {})",
                                    in_quotes(entry.name), entry.begin,
                                    entry.begin < position ? "overlapping another" : "after a gap",
                                    position));
    position = entry.end;
  }
  if (position != data_size)
    fail_header(file,
                fmt::format("the tensors cover {} bytes, the data has {}", position, data_size));
}

}  // namespace

std::size_t size_of(ElementType type) {
  switch (type) {
    case ElementType::f64:
    case ElementType::i64:
      return 8;
    case ElementType::f32:
    case ElementType::i32:
      return 4;
    case ElementType::f16:
    case ElementType::bf16:
    case ElementType::i16:
      return 2;
    case ElementType::i8:
    case ElementType::u8:
    case ElementType::boolean:
      return 1;
  }
  return 0;
}

std::string_view name_of(ElementType type) {
  for (const auto& [name, value] : type_names)
    if (value == type) return name;
  return "?";
}

bool is_floating(ElementType type) {
  using enum ElementType;
  return type == f32 || type == f64 || type == f16 || type == bf16;
}

bool is_good_name(std::string_view name) {
  return !name.empty() && std::none_of(name.begin(), name.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
}

bool bytes_of(ElementType type, const std::vector<std::int64_t>& shape, std::uint64_t& bytes) {
  bytes = size_of(type);
  for (const std::int64_t n : shape)
    if (n < 0 || __builtin_mul_overflow(bytes, static_cast<std::uint64_t>(n), &bytes)) return false;
  return true;
}

void check_header_length(std::uint64_t length, std::uint64_t file_size, const std::string& file) {
  if (length > max_header_length)
    above_limit(
        file, fmt::format("header length {} is above the limit of {}", length, max_header_length));
  if (length > file_size - 8)
    fail_header(
        file, fmt::format("header length {} is more than the {} bytes left in the file: truncated",
                          length, file_size - 8));
}

Header parse_header(std::string_view text, std::uint64_t data_size, const std::string& file) {
  if (text.empty() || text.front() != '{') fail_header(file, "the header does not start with '{'");
  // The JSON parser would take a NUL for the end, and ignore the rest.
  if (text.find('\0') != std::string_view::npos) fail_header(file, "the header has a NUL byte");

  HeaderReader reader(file);
  read_json(text, reader);
  Header header = reader.take();
  // A stable sort; an empty array comes before an array that starts at the same place.
  std::stable_sort(header.entries.begin(), header.entries.end(),
                   [](const HeaderEntry& a, const HeaderEntry& b) {
                     return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
                   });
  check_layout(header.entries, data_size, file);
  return header;
}

}  // namespace unroll::io
