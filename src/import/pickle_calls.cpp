#include "import/pickle_calls.h"

#include <algorithm>
#include <iterator>

namespace unroll::importer {
namespace {

using Kind = Value::Kind;
using NameSpan = std::span<const std::string_view>;

bool is_one_of(std::string_view name, NameSpan names) {
  return std::ranges::find(names, name) != names.end();
}

// Called without arguments or with one dictionary. defaultdict gets a function instead.
constexpr std::string_view kDicts[] = {"collections.OrderedDict", "collections.defaultdict",
                                       "collections.Counter", "builtins.dict"};
constexpr std::string_view kLists[] = {"builtins.list",  "builtins.set", "builtins.frozenset",
                                       "builtins.tuple", "torch.Size",   "collections.deque"};
// These return their first argument.
constexpr std::string_view kSame[] = {
    "torch._utils._rebuild_parameter",    "torch._utils._rebuild_parameter_with_state",
    "torch.nn.parameter.Parameter",       "torch.nn.parameter.Buffer",
    "torch.jit._pickle.restore_type_tag", "torch.jit._pickle.build_intlist",
    "torch.jit._pickle.build_tensorlist", "torch.jit._pickle.build_doublelist",
    "torch.jit._pickle.build_boollist",
};
// (storage, offset, sizes, strides), and in later versions more arguments.
constexpr std::string_view kTensors[] = {"torch._utils._rebuild_tensor",
                                         "torch._utils._rebuild_tensor_v2"};
// (function, type, its arguments, state): a tensor with attributes, or of a subclass.
constexpr std::string_view kFromTypes[] = {"torch._tensor._rebuild_from_type_v2",
                                           "torch._tensor._rebuild_from_type",
                                           "torch._utils._rebuild_from_type"};

Ref tensor(Pickle& pickle, std::span<const Ref> given) {
  constexpr std::size_t kParts = 4;
  if (given.size() < kParts || !pickle.is(given[0], Kind::storage) ||
      !pickle.is(given[1], Kind::integer) || !pickle.is(given[2], Kind::tuple) ||
      !pickle.is(given[3], Kind::tuple))
    return kNothing;
  const Ref parts[kParts] = {given[0], given[1], given[2], given[3]};
  return pickle.add_slice(Kind::tensor, parts);
}

}  // namespace

bool is_storage_type(std::string_view global) {
  return global.starts_with("torch.") && global.ends_with("Storage");
}

bool runs_something(std::string_view module, std::string_view name) {
  static constexpr std::string_view kModules[] = {
      "os",         "posix",  "nt",     "sys",       "subprocess", "socket", "shutil",
      "pty",        "runpy",  "ctypes", "importlib", "pdb",        "bdb",    "pip",
      "webbrowser", "timeit", "pickle", "_pickle",   "marshal"};
  static constexpr std::string_view kBuiltins[] = {"eval", "exec",  "execfile",   "compile",
                                                   "open", "input", "__import__", "breakpoint"};
  static constexpr std::string_view kOperators[] = {"attrgetter", "methodcaller"};
  const std::string_view package = module.substr(0, module.find('.'));
  if (is_one_of(package, kModules)) return true;
  if (module == "builtins") return is_one_of(name, kBuiltins);
  if (module == "operator") return is_one_of(name, kOperators);
  return package == "torch" && (name == "load" || module.starts_with("torch.hub"));
}

Ref call(Pickle& pickle, Ref function, std::span<const Ref> given) {
  std::string_view name = pickle.text(function);
  if (is_one_of(name, kFromTypes)) {
    if (given.size() < 3 || !pickle.is(given[0], Kind::global) || !pickle.is(given[2], Kind::tuple))
      return kNothing;
    function = given[0];
    name = pickle.text(function);
    given = pickle.items(given[2]);
  }
  if (is_one_of(name, kDicts)) {
    if (!given.empty() && pickle.is(given[0], Kind::dict)) return given[0];
    if (given.size() == 1 && pickle.is(given[0], Kind::list))  // a list of pairs, by Python 2
      return pickle.pairs_to_dict(given[0]) ? given[0] : kNothing;
    return pickle.add({.kind = Kind::dict, .growing = {0, kNothing}});
  }
  if (is_one_of(name, kLists)) {
    const bool is_tuple = name == "builtins.tuple" || name == "torch.Size";
    if (!given.empty() && pickle.is(given[0], is_tuple ? Kind::tuple : Kind::list)) return given[0];
    return pickle.add({.kind = Kind::list, .growing = {0, kNothing}});
  }
  if (is_one_of(name, kSame)) return given.empty() ? kNothing : given[0];
  if (is_one_of(name, kTensors)) return tensor(pickle, given);
  return pickle.add_object(function);
}

}  // namespace unroll::importer
