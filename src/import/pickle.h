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

struct Value {
  enum class Kind {
    none,
    boolean,  ///< integer is 0 or 1
    integer,
    real,
    text,
    tuple,
    list,
    dict,     ///< items: key and value in turn
    global,   ///< text: "module.name", one of those that are allowed
    storage,  ///< items: the global of its type, the text that is its key, and its number of
              ///< elements
    tensor,   ///< items: storage, offset, the tuples of sizes and strides
  };

  Kind kind = Kind::none;
  std::int64_t integer = 0;
  double real = 0;
  std::string text = {};
  std::vector<Ref> items = {};
};

struct Pickle {
  std::vector<Value> values;
  Ref root = 0;

  const Value& operator[](Ref ref) const { return values[ref]; }
};

/// Reads a pickle of protocol 2, as torch.save writes them, by an allow-list: numbers, texts, None,
/// tuples, lists, dictionaries, collections.OrderedDict, tensors and parameters. Numbers of
/// operations and values are bounded; nothing recurses.
///
/// Throws FormatError for anything else, naming it; `name` stands for the file.
/// Source: https://docs.python.org/3/library/pickletools.html
Pickle read_pickle(std::span<const std::byte> bytes, const std::string& name);

}  // namespace unroll::importer
