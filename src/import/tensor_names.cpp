#include "import/tensor_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/printable.h"
#include "unroll/core/error.h"

namespace unroll::importer {
namespace {

using Kind = Value::Kind;

constexpr std::size_t kMostNames = 1 << 16, kLongestName = 1 << 10, kDeepestModule = 64;
// Limits of the members looked at: a module that is held many times is visited each time.
constexpr std::size_t kFewLooks = std::size_t{1} << 20, kLooksAValue = 16;
constexpr std::size_t kMostText = std::size_t{1} << 24;  // bytes of all names together
constexpr std::size_t kMostListed = 20;

/// A key of a container: a value, or an index into a list.
struct Key {
  Ref value;
  std::uint32_t index;
};

/// The kinds of values in a dictionary or an object, to judge whether it has weights.
struct Content {
  bool has_tensors = false, has_others = false;
  bool is_layer = true;       // no name has a dot: all belong to one layer
  bool is_optimizer = false;  // a state of torch.optim: its tensors are no weights
  bool has_arrays = false;    // has arrays of NumPy

  bool has_weights() const { return has_tensors && !is_optimizer; }
  /// Whether it has weights and nothing else.
  bool is_state_dict() const { return has_weights() && !has_others; }
};

/// A container in a pickle, and the path to it. There may be millions.
struct Place {
  Ref value;
  std::uint32_t parent, depth;  // parent: index of the place that contains it
  Key key;
  Content content = {};
  bool is_module = false;

  bool is_candidate() const { return is_module || content.is_state_dict(); }
};

class Finder {
 public:
  Finder(const Pickle& pickle, const std::string& file)
      : pickle_(pickle), file_(file), modules_(pickle.size(), Known::no_idea) {}

  FoundTensors at(const std::string& key) {
    if (key.empty()) {
      find_places(pickle_.root);
      return only();
    }
    base_ = key;
    find_places(value_at(key));
    if (places_[0].is_module || places_[0].content.has_tensors) return tensors_of(0);
    if (std::ranges::any_of(places_, &Place::is_candidate)) return only();
    fail(fmt::format("{} is not a dictionary of tensors{}", in_quotes(key), other_candidates()));
  }

 private:
  enum class Known : std::uint8_t { no_idea, no, yes };

  [[noreturn]] void fail(std::string_view why) const {
    throw FormatError("import", fmt::format("{}: {}", file_, why));
  }

  void look(std::size_t members) {
    looks_ += members;
    const std::size_t most = kFewLooks + kLooksAValue * pickle_.size();
    if (looks_ > most)
      fail(
          fmt::format("its modules contain each other more than {} times, the limit of Unroll; "
                      "save model.state_dict()",
                      most));
  }

  bool is_tensor(Ref value) const {
    if (pickle_.is(value, Kind::tensor)) return true;
    const std::string_view made_by = pickle_.made_by(value);
    return made_by.starts_with("torch._utils._rebuild") ||
           (made_by.starts_with("torch.") && made_by.ends_with("Tensor"));
  }

  bool is_script(Ref value) const { return pickle_.made_by(value).starts_with("__torch__."); }

  /// The member of an object, or kNothing.
  Ref member(Ref object, std::string_view name) {
    const auto members = pickle_.members(object);
    look(members.size());
    Ref found = kNothing;
    for (std::size_t i = 0; i + 1 < members.size(); i += 2)
      if (pickle_.text(members[i]) == name) found = members[i + 1];
    return found;
  }

  /// Whether it is an nn.Module, saved by torch.save or torch.jit.save.
  bool is_module(Ref value) {
    if (!pickle_.is(value, Kind::object)) return false;
    if (modules_[value] == Known::no_idea) {
      const bool is = is_script(value) || (member(value, "_parameters") != kNothing &&
                                           member(value, "_modules") != kNothing);
      modules_[value] = is ? Known::yes : Known::no;
    }
    return modules_[value] == Known::yes;
  }

  Content content_of(Ref value) const {
    Content content;
    const auto members = pickle_.members(value);
    bool has_state = false, has_groups = false;
    for (std::size_t i = 0; i + 1 < members.size(); i += 2) {
      const std::string_view name = pickle_.text(members[i]);
      const Ref item = members[i + 1];
      has_state |= name == "state";
      has_groups |= name == "param_groups";
      if (pickle_.is(members[i], Kind::text) && is_tensor(item)) {
        content.has_tensors = true;
        content.is_layer &= name.substr(0, kLongestName).find('.') == name.npos;
      } else if (!pickle_.is(item, Kind::none) && !name.ends_with("_extra_state")) {
        content.has_others = true;
        content.has_arrays |= pickle_.made_by(item).ends_with("multiarray._reconstruct");
      }
    }
    content.is_optimizer = has_state && has_groups;
    return content;
  }

  /// Calls f(key, value) for everything in a container.
  template <class F>
  void for_each_in(Ref value, F&& f) const {
    const bool is_list = pickle_.is(value, Kind::list) || pickle_.is(value, Kind::tuple);
    const auto items = is_list ? pickle_.items(value) : pickle_.members(value);
    const std::size_t step = is_list ? 1 : 2;
    for (std::size_t i = 0; i + step <= items.size(); i += step)
      f(Key{is_list ? kNothing : items[i], static_cast<std::uint32_t>(i)}, items[i + step - 1]);
  }

  /// A key as the user types it; empty if it can't be typed. A long key is cut.
  std::string text_of(const Key& key) const {
    if (key.value == kNothing) return std::to_string(key.index);
    if (pickle_.is(key.value, Kind::integer)) return std::to_string(pickle_[key.value].integer);
    return std::string(pickle_.text(key.value).substr(0, kLongestName));
  }

  bool is_container(Ref value) const {
    const Kind kind = pickle_[value].kind;
    return kind == Kind::dict || kind == Kind::object || kind == Kind::list || kind == Kind::tuple;
  }

  /// Whether the container has tensors, or containers, in which there may be weights.
  bool leads_on(Ref container) const {
    bool leads = false;
    for_each_in(container,
                [&](const Key&, Ref item) { leads |= is_container(item) || is_tensor(item); });
    return leads;
  }

  /// Lists all containers that may have weights in them, each once, the least deep ones first.
  void find_places(Ref root) {
    std::vector<bool> seen(pickle_.size(), false);
    const auto add = [&](Place place) {
      place.is_module = is_module(place.value);
      if (!place.is_module) place.content = content_of(place.value);
      places_.push_back(place);
    };
    seen[root] = true;
    add({root, 0, 0, {}});
    for (std::uint32_t i = 0; i < places_.size(); ++i) {
      if (places_[i].is_candidate() || places_[i].content.is_optimizer) continue;
      const std::uint32_t depth = places_[i].depth + 1;
      for_each_in(places_[i].value, [&](const Key& key, Ref item) {
        if (!is_container(item) || seen[item]) return;
        seen[item] = true;
        if (leads_on(item)) add({item, i, depth, key});
      });
    }
  }

  std::string path_of(std::size_t place) const {
    std::string path;
    for (; place != 0; place = places_[place].parent) {
      if (path.size() > kLongestName) return "..." + path;
      const std::string key = text_of(places_[place].key);
      path = path.empty() ? key : key + "." + path;
    }
    return path.empty() ? base_ : base_.empty() ? path : base_ + "." + path;
  }

  static std::string list(const std::vector<std::string>& names) {
    std::string text;
    for (std::size_t i = 0; i < std::min(names.size(), kMostListed); ++i)
      text += (i == 0 ? "" : ", ") + in_quotes(names[i]);
    return text + (names.size() > kMostListed ? ", ..." : "");
  }

  /// The paths of all dictionaries of tensors, as --key expects them.
  std::vector<std::string> candidates() const {
    std::vector<std::string> paths;
    for (std::size_t i = 1; i < places_.size() && paths.size() <= kMostListed; ++i)
      if (places_[i].is_candidate()) paths.push_back(path_of(i));
    return paths;
  }

  /// The candidates in the whole file, as the end of an error.
  std::string other_candidates() const {
    Finder whole(pickle_, file_);
    whole.find_places(pickle_.root);
    const auto all = whole.candidates();
    return all.empty() ? "" : "; dictionaries of tensors: " + list(all);
  }

  std::vector<std::string> keys_in(Ref value) const {
    std::vector<std::string> keys;
    for_each_in(value, [&](const Key& key, Ref) {
      if (keys.size() <= kMostListed) keys.push_back(text_of(key));
    });
    return keys;
  }

  /// Chooses when the user gave no key, or the key leads to no tensors itself.
  FoundTensors only() {
    std::vector<std::size_t> best;
    const auto gather = [&](auto&& fits) {
      for (std::size_t i = 0; i < places_.size(); ++i)
        if (fits(places_[i]) && (best.empty() || places_[i].depth == places_[best[0]].depth))
          best.push_back(i);
    };
    gather([](const Place& place) { return place.is_candidate(); });
    if (best.empty()) gather([](const Place& place) { return place.content.has_weights(); });
    if (best.empty()) fail(nothing_found());
    const auto all = candidates();
    if (best.size() == 1) {
      FoundTensors found = tensors_of(best[0]);
      if (all.size() > 1)
        found.note = fmt::format(
            "took {}, the least deep of several dictionaries of tensors: {}; "
            "choose another with --key",
            in_quotes(path_of(best[0])), list(all));
      return found;
    }
    if (are_layers(best)) return together(best);
    fail(fmt::format("it holds several dictionaries of tensors; choose one with --key: {}",
                     list(all.empty() ? paths_of(best) : all)));
  }

  std::vector<std::string> paths_of(const std::vector<std::size_t>& places) const {
    std::vector<std::string> paths;
    for (const std::size_t place : places) paths.push_back(path_of(place));
    return paths;
  }

  /// Whether the places are side by side, and each has the tensors of one layer.
  bool are_layers(const std::vector<std::size_t>& places) const {
    return std::ranges::all_of(places, [&](std::size_t i) {
      const Place& place = places_[i];
      return !place.is_module && place.content.is_layer &&
             place.parent == places_[places[0]].parent;
    });
  }

  FoundTensors together(const std::vector<std::size_t>& places) {
    FoundTensors found;
    std::vector<std::string> keys;
    for (const std::size_t i : places) {
      const std::string layer = text_of(places_[i].key) + ".";
      for (const NamedValue& tensor : tensors_of(i).tensors)
        add(found, layer + tensor.name, tensor.value);
      keys.push_back(path_of(i));
    }
    found.note = fmt::format(
        "combined {} dictionaries, one for each layer: {}; choose a single "
        "one with --key",
        places.size(), list(keys));
    return found;
  }

  std::string nothing_found() const {
    const Ref root = pickle_.root;
    if (std::ranges::any_of(places_, [](const Place& p) { return p.content.has_arrays; }))
      return "it holds NumPy arrays, expected tensors; save a dictionary of "
             "torch.from_numpy(array), or use safetensors.numpy.save_file";
    std::string what = "it holds no dictionary of tensors";
    if (pickle_.is(root, Kind::list) || pickle_.is(root, Kind::tuple))
      what += fmt::format(" but a list of {}", pickle_.items(root).size());
    else if (is_tensor(root))
      what += " but one tensor";
    else if (pickle_.is(root, Kind::object))
      what += fmt::format(" but an object of {}", in_quotes(pickle_.made_by(root)));
    else if (const auto keys = keys_in(root); !keys.empty())
      what += fmt::format(", its keys are {}", list(keys));
    return what + "; save model.state_dict()";
  }

  /// The value at a path of keys. A key may contain dots, so the longest key that fits is taken.
  Ref value_at(std::string_view rest) const {
    Ref value = pickle_.root;
    for (;;) {
      Ref found = kNothing;
      std::size_t longest = 0;
      for_each_in(value, [&](const Key& key, Ref item) {
        const std::string text = text_of(key);
        if (text.empty() || !rest.starts_with(text) || text.size() < longest) return;
        if (rest.size() > text.size() && rest[text.size()] != '.') return;
        longest = text.size();
        found = item;
      });
      if (found == kNothing)
        fail(fmt::format("it has no key {}, only {}{}", in_quotes(rest), list(keys_in(value)),
                         other_candidates()));
      if (longest == rest.size()) return found;
      rest.remove_prefix(longest + 1);
      value = found;
    }
  }

  /// A name, cut to one byte more than allowed, so that add() refuses a name that is too long.
  std::string name_of(Ref text) const {
    return std::string(pickle_.text(text).substr(0, kLongestName + 1));
  }

  FoundTensors tensors_of(std::size_t index) {
    const Place& place = places_[index];
    FoundTensors found;
    if (place.is_module) {
      collect_module(place.value, found);
      if (found.tensors.empty())
        fail(
            fmt::format("the module {} in it has no parameters (torch.jit.freeze turns them into "
                        "constants); save model.state_dict()",
                        in_quotes(pickle_.made_by(place.value))));
      return found;
    }
    const auto members = pickle_.members(place.value);
    for (std::size_t i = 0; i + 1 < members.size(); i += 2) {
      const std::string name = name_of(members[i]);
      if (pickle_.is(members[i], Kind::text) && is_tensor(members[i + 1]))
        add(found, name, members[i + 1]);
      else if (!pickle_.is(members[i + 1], Kind::none) && found.others.size() <= kMostListed)
        found.others.push_back(name);
    }
    return found;
  }

  void add(FoundTensors& found, std::string name, Ref value) {
    if (found.tensors.size() == kMostNames)
      fail(fmt::format("it has more than {} tensors, the limit of Unroll", kMostNames));
    text_ += name.size();
    if (name.size() > kLongestName || text_ > kMostText)
      fail(
          fmt::format("a tensor's name has more than {} bytes, or all names together more than "
                      "{}: limits of Unroll",
                      kLongestName, kMostText));
    found.tensors.push_back({std::move(name), value});
  }

  struct Module {
    Ref value;
    std::string prefix;
    std::size_t depth;
  };

  /// Collects in the order of Module.state_dict(): parameters, persistent buffers, then the inner
  /// modules.
  void collect_module(Ref root, FoundTensors& found) {
    std::vector<Module> open = {{root, "", 0}};
    while (!open.empty()) {
      const Module module = std::move(open.back());
      open.pop_back();
      if (module.depth > kDeepestModule || module.prefix.size() > kLongestName)
        fail(
            fmt::format("its modules are nested deeper than {}, or a name has more than {} "
                        "bytes: limits of Unroll",
                        kDeepestModule, kLongestName));
      Ref modules = module.value;  // torch.jit.save stores modules as ordinary attributes
      if (is_script(module.value)) {
        collect(module.value, module.prefix, {}, found);
      } else {
        modules = member(module.value, "_modules");
        const Ref left_out = member(module.value, "_non_persistent_buffers_set");
        collect(member(module.value, "_parameters"), module.prefix, {}, found);
        collect(member(module.value, "_buffers"), module.prefix,
                left_out == kNothing ? std::span<const Ref>() : pickle_.items(left_out), found);
      }
      const std::size_t first = open.size();
      look(pickle_.members(modules).size());
      for_each_in(modules, [&](const Key& key, Ref item) {
        if (open.size() > kMostNames)
          fail(fmt::format("it has more than {} modules, the limit of Unroll", kMostNames));
        if (is_module(item))
          open.push_back({item, module.prefix + text_of(key) + ".", module.depth + 1});
      });
      std::reverse(open.begin() + static_cast<std::ptrdiff_t>(first), open.end());
    }
  }

  /// Collects the tensors of one of a module's dictionaries, except those named in `left_out`.
  void collect(Ref dict, const std::string& prefix, std::span<const Ref> left_out,
               FoundTensors& found) {
    if (dict == kNothing) return;
    std::set<std::string_view> names;
    for (const Ref name : left_out) names.insert(pickle_.text(name).substr(0, kLongestName));
    const auto members = pickle_.members(dict);
    look(members.size() + left_out.size());
    for (std::size_t i = 0; i + 1 < members.size(); i += 2) {
      const std::string_view name = pickle_.text(members[i]);
      if (!name.empty() && is_tensor(members[i + 1]) && !names.contains(name))
        add(found, prefix + name_of(members[i]), members[i + 1]);
    }
  }

  const Pickle& pickle_;
  const std::string& file_;
  std::string base_;  // the given key: the path of places_[0]
  std::vector<Place> places_;
  std::vector<Known> modules_;
  std::size_t looks_ = 0, text_ = 0;
};

}  // namespace

FoundTensors find_tensors(const Pickle& pickle, const std::string& key, const std::string& file) {
  return Finder(pickle, file).at(key);
}

}  // namespace unroll::importer
