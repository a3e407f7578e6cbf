// torch.save's files: a zip archive with a pickle, and a file for the elements of each storage.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <set>

#include "core/printable.h"
#include "import/pickle.h"
#include "import/state_dict.h"
#include "import/zip_archive.h"
#include "io/safetensors_header.h"
#include "unroll/core/error.h"

namespace unroll::importer {
namespace {

using Kind = Value::Kind;

constexpr std::uint64_t kLongestPickle = std::uint64_t{1} << 26;
constexpr std::size_t kMostDimensions = 64;

io::ElementType type_of(std::string_view storage) {
  using enum io::ElementType;
  static constexpr std::pair<std::string_view, io::ElementType> kTypes[] = {
      {"torch.FloatStorage", f32}, {"torch.DoubleStorage", f64},    {"torch.HalfStorage", f16},
      {"torch.LongStorage", i64},  {"torch.BFloat16Storage", bf16}, {"torch.IntStorage", i32},
      {"torch.ShortStorage", i16}, {"torch.CharStorage", i8},       {"torch.ByteStorage", u8}};
  const auto* const found =
      std::ranges::find(kTypes, storage, &std::pair<std::string_view, io::ElementType>::first);
  return found == std::end(kTypes) ? boolean : found->second;
}

/// Copies a tensor of any strides row by row into `out`; `from` is its first element.
void gather(const std::byte* from, const std::vector<std::int64_t>& sizes,
            const std::vector<std::int64_t>& strides, std::size_t element, std::byte* out) {
  std::vector<std::int64_t> at(sizes.size(), 0);
  for (;;) {
    std::memcpy(out, from, element);
    out += element;
    std::size_t d = sizes.size();
    for (; d > 0; --d) {
      if (sizes[d - 1] == 1) continue;  // its stride may be anything: a product could overflow
      const auto step = strides[d - 1] * static_cast<std::int64_t>(element);
      if (++at[d - 1] < sizes[d - 1]) {
        from += step;
        break;
      }
      from -= step * (sizes[d - 1] - 1);
      at[d - 1] = 0;
    }
    if (d == 0) return;
  }
}

class PtFile {
 public:
  PtFile(const std::vector<std::byte>& bytes, const std::string& name)
      : name_(name), archive_(bytes, name), elements_left_(bytes.size()) {
    constexpr std::string_view kPickle = "data.pkl";
    const std::string_view pickle =
        archive_.has(kPickle) ? kPickle : archive_.only_entry_ending_in("/data.pkl");
    if (pickle.empty()) fail("it is a zip archive, but not one of torch.save: no data.pkl in it");
    folder_ = pickle.substr(0, pickle.size() - kPickle.size());
    if (const std::string order = folder_ + "byteorder"; archive_.has(order)) {
      const std::vector<std::byte> text = archive_.read(order, 16);
      constexpr std::string_view kLittle = "little";
      if (!std::ranges::equal(text, std::as_bytes(std::span(kLittle))))
        fail("its numbers are not little-endian; load and save it again on another machine");
    }
    pickle_ = read_pickle(archive_.read(pickle, kLongestPickle), name);
  }

  StateDict read(const std::string& key) {
    StateDict state;
    state.name = name_;
    std::set<std::string_view> names;
    for (const auto& [tensor_name, ref] : entries_of(choose(key))) {
      if (!names.insert(tensor_name).second)
        fail(fmt::format("two tensors are called {}", in_quotes(tensor_name)));
      state.arrays.push_back(tensor(tensor_name, pickle_[ref], state.memory));
    }
    return state;
  }

 private:
  struct Entry {
    std::string_view key;
    Ref value;
  };

  [[noreturn]] void fail(std::string_view why) const {
    throw FormatError("import", fmt::format("{}: {}", name_, why));
  }

  std::vector<Entry> entries_of(const Value& dict) const {
    std::vector<Entry> entries;
    for (std::size_t i = 0; i + 1 < dict.items.size(); i += 2) {
      const Value& key = pickle_[dict.items[i]];
      if (key.kind != Kind::text) fail("a key of its dictionary is no text");
      entries.push_back({key.text, dict.items[i + 1]});
    }
    return entries;
  }

  /// Whether it is a dictionary of tensors and nothing else.
  bool is_state_dict(const Value& value) const {
    if (value.kind != Kind::dict || value.items.empty()) return false;
    for (std::size_t i = 0; i + 1 < value.items.size(); i += 2)
      if (pickle_[value.items[i]].kind != Kind::text ||
          pickle_[value.items[i + 1]].kind != Kind::tensor)
        return false;
    return true;
  }

  const Value& choose(const std::string& key) const {
    const Value& root = pickle_[pickle_.root];
    if (root.kind != Kind::dict) fail("it holds no dictionary of tensors; save model.state_dict()");
    if (is_state_dict(root) && key.empty()) return root;
    std::vector<std::string> all, fitting;
    const Value* chosen = nullptr;
    for (const Entry& entry : entries_of(root)) {
      const bool fits = is_state_dict(pickle_[entry.value]);
      all.push_back(in_quotes(entry.key));
      if (fits) fitting.push_back(all.back());
      if (key.empty() ? fits : entry.key == key) chosen = &pickle_[entry.value];
    }
    if (!key.empty()) {
      if (!chosen) fail(fmt::format("it has no key {}, only {}", in_quotes(key), list(all)));
      if (!is_state_dict(*chosen))
        fail(fmt::format("{} is no dictionary of tensors", in_quotes(key)));
    } else if (fitting.size() > 1) {
      fail(fmt::format("it holds several dictionaries of tensors; choose one with --key: {}",
                       list(fitting)));
    } else if (!chosen) {
      fail(
          fmt::format("it holds no dictionary of tensors and nothing else, its keys are {}; save "
                      "model.state_dict()",
                      list(all)));
    }
    return *chosen;
  }

  static std::string list(std::vector<std::string> names) {
    constexpr std::size_t kMost = 20;
    if (names.size() > kMost) {
      names.resize(kMost);
      names.emplace_back("...");
    }
    return fmt::format("{}", fmt::join(names, ", "));
  }

  std::vector<std::int64_t> sizes(Ref ref, std::string_view tensor_name) const {
    std::vector<std::int64_t> sizes;
    for (const Ref item : pickle_[ref].items) {
      const Value& size = pickle_[item];
      if (size.kind != Kind::integer || size.integer < 0 || sizes.size() == kMostDimensions)
        fail(fmt::format("tensor {} has sizes or strides that can't be", tensor_name));
      sizes.push_back(size.integer);
    }
    return sizes;
  }

  /// The elements of a storage, read once.
  const std::vector<std::byte>& storage(const std::string& key, std::uint64_t size,
                                        std::string_view tensor_name) {
    const auto [found, is_new] = storages_.try_emplace(key);
    if (is_new) found->second = archive_.read(folder_ + "data/" + key, size);
    if (found->second.size() != size)
      fail(fmt::format("the storage of tensor {} has {} bytes, expected {}", tensor_name,
                       found->second.size(), size));
    return found->second;
  }

  io::ArrayView tensor(std::string_view tensor_name, const Value& value,
                       std::deque<std::vector<std::byte>>& memory) {
    const std::string shown = in_quotes(tensor_name);
    if (!io::is_good_name(tensor_name) || !is_utf8(tensor_name))
      fail(fmt::format("{} is no name of a tensor", shown));
    const Value& from = pickle_[value.items[0]];
    io::ArrayView array;
    array.name = tensor_name;
    array.type = type_of(pickle_[from.items[0]].text);
    array.shape = sizes(value.items[2], shown);
    const std::vector<std::int64_t> strides = sizes(value.items[3], shown);
    if (strides.size() != array.shape.size())
      fail(fmt::format("tensor {} has {} sizes and {} strides", shown, array.shape.size(),
                       strides.size()));

    // The last element it has, and how many there are, before any of it is read.
    const std::size_t element = io::size_of(array.type);
    std::int64_t last = pickle_[value.items[1]].integer, count = 1, bytes = 0;
    bool fits = last >= 0;
    const std::int64_t stored = pickle_[from.items[2]].integer;
    for (std::size_t d = 0; d < strides.size(); ++d) {
      std::int64_t reach = 0;
      const std::int64_t steps = std::max<std::int64_t>(array.shape[d] - 1, 0);
      fits = fits && !__builtin_mul_overflow(count, array.shape[d], &count) &&
             !__builtin_mul_overflow(strides[d], steps, &reach) &&
             !__builtin_add_overflow(last, reach, &last);
    }
    fits = fits && stored >= 0 && !__builtin_mul_overflow(stored, element, &bytes) &&
           (count == 0 || last < stored);
    if (!fits)
      fail(fmt::format("tensor {} of shape [{}] reaches beyond the {} elements that are stored",
                       shown, fmt::join(array.shape, ", "), stored));
    if (static_cast<std::uint64_t>(count) > elements_left_)
      fail(fmt::format("with tensor {} there are more elements than the file has bytes", shown));
    elements_left_ -= static_cast<std::uint64_t>(count);
    if (count == 0) return array;

    const std::vector<std::byte>& elements =
        storage(pickle_[from.items[1]].text, static_cast<std::uint64_t>(bytes), shown);
    std::vector<std::byte>& out = memory.emplace_back(static_cast<std::size_t>(count) * element);
    const auto offset = static_cast<std::size_t>(pickle_[value.items[1]].integer) * element;
    gather(elements.data() + offset, array.shape, strides, element, out.data());
    array.data = out;
    return array;
  }

  const std::string& name_;
  ZipArchive archive_;
  std::uint64_t elements_left_;
  std::string folder_;  // of the archive's entries, ending in a slash
  Pickle pickle_;
  std::map<std::string, std::vector<std::byte>> storages_;
};

}  // namespace

StateDict parse_pt(const std::vector<std::byte>& bytes, const std::string& name,
                   const std::string& key) {
  return PtFile(bytes, name).read(key);
}

}  // namespace unroll::importer
