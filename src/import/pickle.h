// Reads the pickles inside PyTorch's files as data. Nothing in a pickle is ever executed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unroll::importer {

/// A value of a pickle, by its index among all values. A pickle may hold one value many times, also
/// inside itself.
using Ref = std::uint32_t;
inline constexpr Ref kNothing = ~Ref{0};

/// A value in 16 bytes, because a checkpoint may have millions. Longer data is in the Pickle.
struct Value {
  enum class Kind : std::uint8_t {
    none,
    boolean,  ///< integer is 0 or 1
    integer,
    number,  ///< a real number, or an integer of more than 64 bits; its value is not kept
    text,
    bytes,  ///< not kept
    tuple,
    list,     ///< or a set
    dict,     ///< items: key and value in turn
    global,   ///< text: "module.name" of a class or a function
    object,   ///< an object of a class, or a function's result; items: key and value in turn
    storage,  ///< items: its type (a global), its key (a text), its number of elements
    tensor,   ///< items: storage, offset, the tuples of sizes and strides
  };
  struct Slice {
    std::uint32_t first, size;
  };
  struct Growing {
    Ref list, state;
  };

  Kind kind = Kind::none;
  Ref global = kNothing;  ///< an object's class, or the function that made it
  union {
    std::int64_t integer = 0;
    Slice slice;      ///< a text, or the items of a tuple, a storage or a tensor
    Growing growing;  ///< the items of a list, a dictionary or an object
  };
};
static_assert(sizeof(Value) == 16);

/// The values of a pickle. The pickle's bytes must outlive it.
class Pickle {
 public:
  explicit Pickle(std::string_view bytes) : bytes_(bytes) { lists_.emplace_back(); }

  Ref root = kNothing;
  std::size_t end = 0;  ///< the number of bytes read

  std::size_t size() const { return values_.size(); }
  const Value& operator[](Ref ref) const { return values_[ref]; }
  bool is(Ref ref, Value::Kind kind) const { return values_[ref].kind == kind; }
  std::string_view text(Ref ref) const;        ///< empty if it is no text and no global
  std::span<const Ref> items(Ref ref) const;   ///< empty if it has none
  std::string_view made_by(Ref object) const;  ///< its class or function; empty if no object
  /// The items of a dictionary or the attributes of an object: key and value in turn.
  std::span<const Ref> members(Ref ref) const;

  Ref add(Value value);
  Ref add_text(std::size_t first, std::size_t size);  ///< a range of the pickle's bytes
  Ref add_global(std::string_view module, std::string_view name);
  Ref add_object(Ref global);
  /// Adds a value whose items never change: a tuple, a storage or a tensor.
  Ref add_slice(Value::Kind kind, std::span<const Ref> items);
  void extend(Ref ref, std::span<const Ref> items);  ///< a list, a dictionary or an object
  /// Turns a list of pairs into a dictionary; false if an item is no pair.
  bool pairs_to_dict(Ref list);
  void set_state(Ref object, Ref state) { values_[object].growing.state = state; }

 private:
  std::string_view bytes_;
  std::string names_;  // the names of globals, one after the other
  std::vector<Value> values_;
  std::vector<Ref> slices_;
  std::vector<std::vector<Ref>> lists_;  // lists_[0] stays empty; all empty values share it
};

/// Reads a pickle of protocols 1 to 5, as torch.save and torch.jit.save write them.
///
/// Reads numbers, texts, tuples, lists and dictionaries. It knows the results of those functions of
/// PyTorch and of Python's collections that occur in state_dicts (pickle_calls.h). All other
/// classes and functions are only names, and an object is its attributes. Refuses names that run
/// something and that no data needs, such as os.system.
///
/// Memory and time are linear in the size. A pickle may have at most 16,777,216 values. Nothing
/// recurses. Throws FormatError; `name` stands for the file. Source:
/// https://docs.python.org/3/library/pickletools.html
Pickle read_pickle(std::span<const std::byte> bytes, const std::string& name);

/// Reads the first of several pickles that lie one after the other.
Pickle read_first_pickle(std::span<const std::byte> bytes, const std::string& name);

}  // namespace unroll::importer
