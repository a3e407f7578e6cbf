// The pickles inside PyTorch's files, as data: nothing in one is ever executed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unroll::importer {

/// A value of a pickle, by its place among all of them: a pickle may hold one value many times, and
/// within itself.
using Ref = std::uint32_t;
inline constexpr Ref kNothing = ~Ref{0};

/// 16 bytes, as a checkpoint may have millions. What is longer is in the Pickle.
struct Value {
  enum class Kind : std::uint8_t {
    none,
    boolean,  ///< integer is 0 or 1
    integer,
    number,  ///< another one: real, or of more than 64 bits; its value is not kept
    text,
    bytes,  ///< not kept
    tuple,
    list,     ///< or a set
    dict,     ///< items: key and value in turn
    global,   ///< text: "module.name" of a class or a function
    object,   ///< of a class, or what a function gives; items: key and value in turn
    storage,  ///< items: the global of its type, the text that is its key, its number of elements
    tensor,   ///< items: storage, offset, the tuples of sizes and strides
  };
  struct Slice {
    std::uint32_t first, size;
  };
  struct Growing {
    Ref list, state;
  };

  Kind kind = Kind::none;
  Ref global = kNothing;  ///< of an object: its class, or the function
  union {
    std::int64_t integer = 0;
    Slice slice;      ///< of a text, or of the items of a tuple, a storage or a tensor
    Growing growing;  ///< of a list, a dictionary or an object
  };
};
static_assert(sizeof(Value) == 16);

/// The values of a pickle, whose bytes must outlive it.
class Pickle {
 public:
  explicit Pickle(std::string_view bytes) : bytes_(bytes) { lists_.emplace_back(); }

  Ref root = kNothing;
  std::size_t end = 0;  ///< how many bytes it took

  std::size_t size() const { return values_.size(); }
  const Value& operator[](Ref ref) const { return values_[ref]; }
  bool is(Ref ref, Value::Kind kind) const { return values_[ref].kind == kind; }
  std::string_view text(Ref ref) const;        ///< of a text or a global; else empty
  std::span<const Ref> items(Ref ref) const;   ///< empty for what has none
  std::string_view made_by(Ref object) const;  ///< the name of its class or function; else empty
  /// Key and value in turn: the items of a dictionary; of an object, its attributes.
  std::span<const Ref> members(Ref ref) const;

  Ref add(Value value);
  Ref add_text(std::size_t first, std::size_t size);  ///< of the pickle's bytes
  Ref add_global(std::string_view module, std::string_view name);
  Ref add_object(Ref global);
  /// A value of these items that grows no more: a tuple, a storage, a tensor.
  Ref add_slice(Value::Kind kind, std::span<const Ref> items);
  void extend(Ref ref, std::span<const Ref> items);  ///< of a list, a dictionary or an object
  /// Makes the list a dictionary of the pairs in it; false where they are no pairs.
  bool pairs_to_dict(Ref list);
  void set_state(Ref object, Ref state) { values_[object].growing.state = state; }

 private:
  std::string_view bytes_;
  std::string names_;  // of globals, one behind the other
  std::vector<Value> values_;
  std::vector<Ref> slices_;
  std::vector<std::vector<Ref>> lists_;  // number 0 is that of all that are empty
};

/// Reads a pickle of protocols 1 to 5, as torch.save and torch.jit.save write them.
///
/// Numbers, texts, tuples, lists and dictionaries are read, and what the functions of PyTorch and
/// of Python's collections that stand in state_dicts would give is known (pickle_calls.h). All
/// other classes and functions are names: an object is its attributes. Names that no data needs and
/// that run something, as os.system, are refused.
///
/// Memory and time are linear in the size; at most 16,777,216 values; nothing recurses.
/// Throws FormatError; `name` stands for the file.
/// Source: https://docs.python.org/3/library/pickletools.html
Pickle read_pickle(std::span<const std::byte> bytes, const std::string& name);

/// The same of the first of several that lie one behind the other.
Pickle read_first_pickle(std::span<const std::byte> bytes, const std::string& name);

}  // namespace unroll::importer
