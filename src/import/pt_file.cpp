// Reads the tensors in a file of torch.save.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <set>

#include "core/printable.h"
#include "import/pickle.h"
#include "import/pt_container.h"
#include "import/state_dict.h"
#include "import/tensor_names.h"
#include "io/safetensors_header.h"
#include "unroll/core/error.h"

namespace unroll::importer {
namespace {

using Kind = Value::Kind;

constexpr std::size_t kMostDimensions = 64;

/// Copies a tensor with any strides into `out`, row-major. `from` is its first element.
void gather(const std::byte* from, const std::vector<std::int64_t>& shape,
            const std::vector<std::int64_t>& all_strides, std::size_t element, std::byte* out) {
  // Drop dimensions of size 1. Their strides may be anything, so a product could overflow, and
  // stepping over many of them for each element takes long.
  std::vector<std::int64_t> sizes, strides;
  for (std::size_t d = 0; d < shape.size(); ++d)
    if (shape[d] != 1) {
      sizes.push_back(shape[d]);
      strides.push_back(all_strides[d]);
    }
  std::vector<std::int64_t> at(sizes.size(), 0);
  for (;;) {
    std::memcpy(out, from, element);
    out += element;
    std::size_t d = sizes.size();
    for (; d > 0; --d) {
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
      : name_(name),
        file_(data::is_zip(bytes) ? open_pt_zip(bytes, name) : open_pt_sequence(bytes, name)),
        pickle_(file_->pickle()),
        bytes_left_(data::most_decoded(bytes.size(), pt_use)) {}

  StateDict read(const std::string& key, std::span<const std::string> ignore) {
    FoundTensors found = find_tensors(pickle_, key, name_);
    StateDict state;
    state.name = name_;
    state.note = std::move(found.note);
    state.no_tensors = std::move(found.others);
    std::set<std::string_view> names;
    for (const NamedValue& named : found.tensors) {
      if (is_ignored(named.name, ignore)) {
        state.ignored.push_back(named.name);
        continue;
      }
      if (!names.insert(named.name).second)
        fail(fmt::format("two tensors are called {}", in_quotes(named.name)));
      state.arrays.push_back(tensor(named.name, named.value, state.memory));
    }
    return state;
  }

 private:
  [[noreturn]] void fail(std::string_view why) const {
    throw FormatError("import", fmt::format("{}: {}", name_, why));
  }

  [[noreturn]] void unsupported(std::string_view tensor_name, std::string_view what) const {
    fail(
        fmt::format("tensor {} {}, which is not supported; save it as a plain tensor of floats, "
                    "or leave it out: --ignore {}",
                    tensor_name, what, tensor_name));
  }

  std::vector<std::int64_t> sizes(Ref ref, std::string_view tensor_name) const {
    std::vector<std::int64_t> sizes;
    for (const Ref item : pickle_.items(ref)) {
      const bool is_size = pickle_.is(item, Kind::integer) && pickle_[item].integer >= 0;
      if (!is_size || sizes.size() == kMostDimensions)
        fail(fmt::format("tensor {} has impossible sizes or strides", tensor_name));
      sizes.push_back(pickle_[item].integer);
    }
    return sizes;
  }

  /// The elements of a storage. Each storage is read once.
  const std::vector<std::byte>& storage(const std::string& key, std::uint64_t size,
                                        std::string_view tensor_name) {
    const auto [found, is_new] = storages_.try_emplace(key);
    if (is_new) found->second = file_->storage(key, size);
    if (found->second.size() != size)
      fail(fmt::format("the storage of tensor {} has {} bytes, expected {}", tensor_name,
                       found->second.size(), size));
    return found->second;
  }

  /// Sets `offset` to the tensor's first element; false if it is invalid. Before PyTorch 0.4 a
  /// storage could be a view of another: (key, offset, elements).
  bool offset_of(std::span<const Ref> tensor, std::int64_t& offset) const {
    offset = pickle_[tensor[1]].integer;
    const Ref view = pickle_.items(tensor[0])[3];
    constexpr std::size_t kParts = 3;
    const auto parts = view == kNothing ? std::span<const Ref>() : pickle_.items(view);
    if (parts.size() != kParts) return offset >= 0;
    const Value& start = pickle_[parts[1]];
    return offset >= 0 && start.kind == Kind::integer && start.integer >= 0 &&
           !__builtin_add_overflow(offset, start.integer, &offset);
  }

  io::ArrayView tensor(std::string_view tensor_name, Ref ref,
                       std::deque<std::vector<std::byte>>& memory) {
    const std::string shown = in_quotes(tensor_name);
    if (!io::is_good_name(tensor_name) || !is_utf8(tensor_name))
      fail(fmt::format("{} can't be the name of a tensor", shown));
    if (!pickle_.is(ref, Kind::tensor))
      unsupported(shown, fmt::format("is made by {}", pickle_.made_by(ref)));
    const auto parts = pickle_.items(ref), from = pickle_.items(parts[0]);
    const std::string_view type_name = pickle_.text(from[0]);
    const auto type = storage_type(type_name);
    if (!type || !type->type) unsupported(shown, fmt::format("has elements of {}", type_name));
    io::ArrayView array;
    array.name = tensor_name;
    array.type = *type->type;
    array.shape = sizes(parts[2], shown);
    const std::vector<std::int64_t> strides = sizes(parts[3], shown);
    if (strides.size() != array.shape.size())
      fail(fmt::format("tensor {} has {} sizes and {} strides, expected as many", shown,
                       array.shape.size(), strides.size()));

    // Compute the last element and the count before anything is read.
    const std::size_t element = io::size_of(array.type);
    std::int64_t first = 0, count = 1, bytes = 0;
    bool fits = offset_of(parts, first);
    std::int64_t last = first;
    const std::int64_t stored = pickle_[from[2]].integer;
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
    // Limit the memory: many tensors may share one storage, and many empty tensors may have long
    // shapes.
    std::uint64_t needed = 0;
    const std::uint64_t described = 2 * strides.size() * sizeof(std::int64_t);
    if (__builtin_mul_overflow(static_cast<std::uint64_t>(count), element, &needed) ||
        __builtin_add_overflow(needed, described, &needed) || needed > bytes_left_)
      fail(
          fmt::format("the tensors up to {} take more than {} times the file's size, the limit of "
                      "Unroll; save copies that are not expanded: tensor.clone()",
                      shown, pt_use.growth));
    bytes_left_ -= needed;
    if (count == 0) return array;

    const std::vector<std::byte>& elements =
        storage(std::string(pickle_.text(from[1])), static_cast<std::uint64_t>(bytes), shown);
    std::vector<std::byte>& out = memory.emplace_back(static_cast<std::size_t>(count) * element);
    const auto offset = static_cast<std::size_t>(first) * element;
    gather(elements.data() + offset, array.shape, strides, element, out.data());
    array.data = out;
    return array;
  }

  const std::string& name_;
  std::unique_ptr<PtContainer> file_;
  const Pickle& pickle_;
  std::uint64_t bytes_left_;  // bytes that further tensors may take
  std::map<std::string, std::vector<std::byte>> storages_;
};

}  // namespace

std::optional<StorageType> storage_type(std::string_view global) {
  using enum io::ElementType;
  struct Named {
    std::string_view name;
    StorageType type;
  };
  static constexpr Named kTypes[] = {
      {"FloatStorage", {4, f32}},       {"DoubleStorage", {8, f64}},
      {"HalfStorage", {2, f16}},        {"BFloat16Storage", {2, bf16}},
      {"LongStorage", {8, i64}},        {"IntStorage", {4, i32}},
      {"ShortStorage", {2, i16}},       {"CharStorage", {1, i8}},
      {"ByteStorage", {1, u8}},         {"BoolStorage", {1, boolean}},
      {"ComplexFloatStorage", {8, {}}}, {"ComplexDoubleStorage", {16, {}}},
      {"QInt8Storage", {1, {}}},        {"QUInt8Storage", {1, {}}},
      {"QInt32Storage", {4, {}}},       {"QUInt4x2Storage", {1, {}}},
      {"QUInt2x4Storage", {1, {}}},     {"UntypedStorage", {1, {}}}};
  // "torch.FloatStorage", and in old files "torch.cuda.FloatStorage".
  const std::string_view name = global.substr(global.rfind('.') + 1);
  const auto* const found = std::ranges::find(kTypes, name, &Named::name);
  if (found == std::end(kTypes)) return std::nullopt;
  return found->type;
}

StateDict parse_pt(const std::vector<std::byte>& bytes, const std::string& name,
                   const std::string& key, std::span<const std::string> ignore) {
  return PtFile(bytes, name).read(key, ignore);
}

}  // namespace unroll::importer
