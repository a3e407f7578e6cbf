#include "import/pickle.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "core/printable.h"
#include "import/pickle_calls.h"
#include "unroll/core/error.h"

namespace unroll::importer {
namespace {

// A value takes 16 bytes, and each reference to it 4. A checkpoint with the losses of every step of
// a long run has some millions of values.
constexpr std::size_t kMostValues = std::size_t{1} << 24;
// Each value takes at least two bytes of a pickle: one operation makes it, one remembers it.
constexpr std::size_t kBytesAValue = 2, kFewValues = 1 << 16;
constexpr int kNewestProtocol = 5;

/// The stack machine that runs a pickle's operations. It never makes a Python object and never
/// calls a function.
class Machine {
 public:
  Machine(std::span<const std::byte> bytes, const std::string& name)
      : bytes_(reinterpret_cast<const char*>(bytes.data()), bytes.size()),
        name_(name),
        pickle_(bytes_),
        most_values_(std::min(kMostValues, kFewValues + bytes_.size() / kBytesAValue)) {
    shared_.fill(kNothing);
  }

  Pickle run() {
    for (;;) {
      const auto code = static_cast<unsigned char>(take(1)[0]);
      if (code == '.') {
        pickle_.root = pop();
        if (!stack_.empty()) damaged("values are left over at its end");
        pickle_.end = position_;
        return std::move(pickle_);
      }
      step(code);
      if (pickle_.size() > most_values_) too_many();
    }
  }

 private:
  using Kind = Value::Kind;

  void step(unsigned char code) {
    switch (code) {
      case 0x80:  // PROTO
        if (const int version = number<std::uint8_t>(); version > kNewestProtocol)
          unsupported(fmt::format("is of protocol {}, expected 1 to {}", version, kNewestProtocol));
        return;
      case 0x95:  // FRAME: the number of bytes that may be read at once
        if (number<std::uint64_t>() > bytes_.size() - position_) damaged("it ends too early");
        return;
      case 'N':
        return push_shared(kNone, {.kind = Kind::none, .integer = 0});
      case 0x88:  // NEWTRUE
        return push_shared(kTrue, {.kind = Kind::boolean, .integer = 1});
      case 0x89:  // NEWFALSE
        return push_shared(kFalse, {.kind = Kind::boolean, .integer = 0});
      case 'K':  // BININT1
        return push_byte(number<std::uint8_t>());
      case 'M':  // BININT2
        return push({.kind = Kind::integer, .integer = number<std::uint16_t>()});
      case 'J':  // BININT
        return push({.kind = Kind::integer, .integer = number<std::int32_t>()});
      case 'I':  // INT and LONG: decimal; INT can also be True or False
      case 'L':
        return push(decimal(line()));
      case 0x8a:  // LONG1
        return push(long_integer(number<std::uint8_t>()));
      case 0x8b:  // LONG4
        return push(long_integer(count_of(number<std::int32_t>())));
      case 'G':  // BINFLOAT
        take(8);
        return push({.kind = Kind::number, .integer = 0});
      case 'F':  // FLOAT
        line();
        return push({.kind = Kind::number, .integer = 0});
      case 'U':   // SHORT_BINSTRING
      case 0x8c:  // SHORT_BINUNICODE
        return push_text(number<std::uint8_t>());
      case 'X':  // BINUNICODE
        return push_text(number<std::uint32_t>());
      case 'T':  // BINSTRING
        return push_text(count_of(number<std::int32_t>()));
      case 0x8d:  // BINUNICODE8
        return push_text(number<std::uint64_t>());
      case 'C':  // SHORT_BINBYTES
        return push_bytes(number<std::uint8_t>());
      case 'B':  // BINBYTES
        return push_bytes(number<std::uint32_t>());
      case 0x8e:  // BINBYTES8, BYTEARRAY8
      case 0x96:
        return push_bytes(number<std::uint64_t>());
      case 'c':  // GLOBAL
        return push_global();
      case 0x93: {  // STACK_GLOBAL
        const std::vector<Ref> names = pop(2);
        if (!is(names[0], Kind::text) || !is(names[1], Kind::text)) damaged("a name is not a text");
        return stack_.push_back(global(pickle_.text(names[0]), pickle_.text(names[1])));
      }
      case '}':
        return push({.kind = Kind::dict, .growing = {0, kNothing}});
      case ']':
      case 0x8f:  // EMPTY_SET
        return push({.kind = Kind::list, .growing = {0, kNothing}});
      case ')':
        return push_shared(kEmptyTuple, {.kind = Kind::tuple, .slice = {0, 0}});
      case '(':
        return marks_.push_back(static_cast<std::uint32_t>(stack_.size()));
      case '0':  // POP
        if (available() == 0 && !marks_.empty()) return marks_.pop_back();
        pop();
        return;
      case '1':  // POP_MARK
        pop_to_mark();
        return;
      case '2':  // DUP
        return stack_.push_back(top());
      case 't':  // TUPLE
        return stack_.push_back(pickle_.add_slice(Kind::tuple, pop_to_mark()));
      case 0x85:  // TUPLE1 to TUPLE3
      case 0x86:
      case 0x87:
        return stack_.push_back(pickle_.add_slice(Kind::tuple, pop(code - 0x84u)));
      case 'l':  // LIST, FROZENSET: take all values above the mark
      case 0x91:
        return push_growing(Kind::list, pop_to_mark());
      case 'd':  // DICT
        return push_growing(Kind::dict, pop_to_mark());
      case 'a':  // APPEND
        return append(pop(1));
      case 'e':  // APPENDS, ADDITEMS
      case 0x90:
        return append(pop_to_mark());
      case 's':  // SETITEM
        return set_items(pop(2));
      case 'u':  // SETITEMS
        return set_items(pop_to_mark());
      case 'q':  // BINPUT
        return remember(number<std::uint8_t>());
      case 'r':  // LONG_BINPUT
        return remember(number<std::uint32_t>());
      case 0x94:  // MEMOIZE
        return remember(memo_.size());
      case 'h':  // BINGET
        return recall(number<std::uint8_t>());
      case 'j':  // LONG_BINGET
        return recall(number<std::uint32_t>());
      case 'Q':  // BINPERSID
        return stack_.push_back(persistent(pop()));
      case 'R':  // REDUCE
        return call(pop(2));
      case 0x81:  // NEWOBJ
        return make_object(pop(2));
      case 0x92:  // NEWOBJ_EX
        return make_object(pop(3));
      case 'i': {  // INST: an object of a Python 2 class, with its arguments above the mark
        push_global();
        const Ref type = pop();
        pop_to_mark();
        return stack_.push_back(pickle_.add_object(type));
      }
      case 'o': {  // OBJ: the same, with the class as the first value above the mark
        const std::vector<Ref> given = pop_to_mark();
        if (given.empty()) damaged("an object has no class");
        return make_object(given);
      }
      case 'b':  // BUILD
        return build(pop());
      case 'S':  // protocol 0, persistent ids as text, registered extensions
      case 'V':
      case 'g':
      case 'p':
      case 'P':
      case 0x82:
      case 0x83:
      case 0x84:
      case 0x97:
      case 0x98:
        unsupported(
            fmt::format("has the operation 0x{:02x}, which torch.save does not write", code));
      default:
        damaged(fmt::format("0x{:02x} is not an operation", code));
    }
  }

  /// The next `count` bytes. Refuses a pickle that ends before them.
  std::string_view take(std::uint64_t count) {
    if (count > bytes_.size() - position_) damaged("it ends too early");
    position_ += count;
    return bytes_.substr(position_ - count, count);
  }

  template <class T>
  T number() {
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }

  std::uint64_t count_of(std::int32_t count) const {
    if (count < 0) damaged("a length is negative");
    return static_cast<std::uint64_t>(count);
  }

  Value long_integer(std::uint64_t size) {
    const std::string_view digits = take(size);
    if (digits.size() > sizeof(std::int64_t)) return {.kind = Kind::number, .integer = 0};
    std::uint64_t value = !digits.empty() && (digits.back() & 0x80) ? ~std::uint64_t{0} : 0;
    for (std::size_t i = digits.size(); i-- > 0;)
      value = value << 8 | static_cast<unsigned char>(digits[i]);
    return {.kind = Kind::integer, .integer = static_cast<std::int64_t>(value)};
  }

  Value decimal(std::string_view text) const {
    if (text == "00" || text == "01")
      return {.kind = Kind::boolean, .integer = text == "01" ? 1 : 0};
    if (text.ends_with('L')) text.remove_suffix(1);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc::result_out_of_range) return {.kind = Kind::number, .integer = 0};
    if (error != std::errc() || end != text.data() + text.size())
      damaged("an integer has other characters than digits");
    return {.kind = Kind::integer, .integer = value};
  }

  std::string_view line() {
    const std::size_t end = bytes_.find('\n', position_);
    if (end == std::string_view::npos) damaged("it ends too early");
    const std::string_view text = take(end - position_);
    take(1);
    return text;
  }

  /// A class or function under the Python 3 name of its module.
  Ref global(std::string_view module, std::string_view name) {
    if (module == "__builtin__") module = "builtins";
    if (module == "copy_reg") module = "copyreg";
    if (runs_something(module, name)) refuse(fmt::format("{}.{}", module, name));
    // A few bytes can use two long texts as a name again and again.
    constexpr std::size_t kShort = 1 << 16, kLongest = 1 << 10;
    names_length_ += module.size() + name.size();
    if (module.size() + name.size() > kLongest || names_length_ > bytes_.size() + kShort)
      damaged("a name has more than 1024 bytes, or all names are longer than the pickle");
    return pickle_.add_global(module, name);
  }

  void push_global() {
    const std::string_view module = line();
    const std::string_view name = line();
    stack_.push_back(global(module, name));
  }

  void push(Value value) { stack_.push_back(pickle_.add(value)); }

  /// Stores a value that never changes only once.
  void push_shared(std::size_t place, Value value) {
    if (shared_[place] == kNothing) shared_[place] = pickle_.add(value);
    stack_.push_back(shared_[place]);
  }

  void push_byte(std::uint8_t value) {
    push_shared(kFirstByte + value, {.kind = Kind::integer, .integer = value});
  }

  void push_text(std::uint64_t size) {
    take(size);
    stack_.push_back(pickle_.add_text(position_ - size, size));
  }

  void push_bytes(std::uint64_t size) {
    take(size);
    push({.kind = Kind::bytes, .integer = 0});
  }

  void push_growing(Kind kind, const std::vector<Ref>& items) {
    if (kind == Kind::dict && items.size() % 2 != 0) damaged("a key has no value");
    push({.kind = kind, .growing = {0, kNothing}});
    pickle_.extend(top(), items);
  }

  /// The number of values that may be taken: those above the last mark.
  std::size_t available() const { return stack_.size() - (marks_.empty() ? 0 : marks_.back()); }

  Ref top() const {
    if (available() == 0) damaged("it takes a value from an empty stack");
    return stack_.back();
  }

  Ref pop() {
    const Ref ref = top();
    stack_.pop_back();
    return ref;
  }

  std::vector<Ref> pop(std::size_t count) {
    if (available() < count) damaged("it takes a value from an empty stack");
    const auto first = stack_.end() - static_cast<std::ptrdiff_t>(count);
    std::vector<Ref> items(first, stack_.end());
    stack_.erase(first, stack_.end());
    return items;
  }

  std::vector<Ref> pop_to_mark() {
    if (marks_.empty()) damaged("it takes values up to a mark that is missing");
    std::vector<Ref> items = pop(available());
    marks_.pop_back();
    return items;
  }

  /// Ignores items of an object, say of a subclass of list: only its attributes matter.
  void append(const std::vector<Ref>& items) {
    if (is(top(), Kind::object)) return;
    if (!is(top(), Kind::list)) damaged("it adds items to a value that is not a list");
    pickle_.extend(top(), items);
  }

  void set_items(const std::vector<Ref>& items) {
    const bool can = is(top(), Kind::dict) || is(top(), Kind::object);
    if (!can || items.size() % 2 != 0)
      damaged("it adds items to a value that is not a dictionary, or a key has no value");
    pickle_.extend(top(), items);
  }

  /// Writers number remembered values from 0, so a valid number is smaller than the pickle.
  void remember(std::size_t place) {
    if (place >= bytes_.size())
      damaged(fmt::format("it stores a value as number {}, above its own size", place));
    if (place >= memo_.size()) memo_.resize(place + 1, kNothing);
    memo_[place] = top();
  }

  void recall(std::size_t place) {
    if (place >= memo_.size() || memo_[place] == kNothing)
      damaged(fmt::format("it takes value number {}, which it never stored", place));
    stack_.push_back(memo_[place]);
  }

  bool is(Ref ref, Kind kind) const { return pickle_.is(ref, kind); }

  /// ("storage", type, key, device, elements[, view]). Before PyTorch 1.6 also ("module", class,
  /// its source, ...).
  Ref persistent(Ref id) {
    constexpr std::size_t kLongestKey = 1 << 10;
    const std::span<const Ref> part = pickle_.items(id);
    if (is(id, Kind::tuple) && part.size() >= 2 && pickle_.text(part[0]) == "module" &&
        is(part[1], Kind::global))
      return part[1];
    if (!is(id, Kind::tuple) || part.size() < 5 || part.size() > 6 ||
        pickle_.text(part[0]) != "storage" || !is(part[1], Kind::global) ||
        !is_storage_type(pickle_.text(part[1])) || !is(part[2], Kind::text) ||
        pickle_.text(part[2]).size() > kLongestKey || !is(part[4], Kind::integer))
      damaged("it refers to an object that is not a tensor's storage");
    const std::array kept{part[1], part[2], part[4], part.size() == 6 ? part[5] : kNothing};
    return pickle_.add_slice(Kind::storage, kept);
  }

  void call(const std::vector<Ref>& function_and_arguments) {
    const Ref function = function_and_arguments[0], arguments = function_and_arguments[1];
    if (!is(arguments, Kind::tuple)) damaged("a call has no tuple of arguments");
    // A function's result is called in turn: nothing is known of that object.
    if (!is(function, Kind::global)) return stack_.push_back(pickle_.add_object(unknown()));
    const Ref result = importer::call(pickle_, function, pickle_.items(arguments));
    if (result == kNothing)
      damaged(fmt::format("{} gets arguments that it does not take", pickle_.text(function)));
    stack_.push_back(result);
  }

  /// Makes an object of a class; its attributes follow. A Parameter becomes its tensor.
  void make_object(const std::vector<Ref>& class_and_arguments) {
    const Ref type = class_and_arguments[0];
    const Ref given = class_and_arguments.size() > 1 ? class_and_arguments[1] : kNothing;
    const auto arguments = given == kNothing ? std::span<const Ref>() : pickle_.items(given);
    if (!is(type, Kind::global)) return stack_.push_back(pickle_.add_object(unknown()));
    if (pickle_.text(type) == "torch.nn.parameter.Parameter" && !arguments.empty())
      return stack_.push_back(arguments[0]);
    stack_.push_back(pickle_.add_object(type));
  }

  /// Sets attributes. Ignores those of a dictionary: they are a state_dict's _metadata, the
  /// versions of its modules.
  void build(Ref state) {
    if (is(top(), Kind::object)) return pickle_.set_state(top(), state);
    constexpr Kind kNoAttributes[] = {Kind::none,   Kind::boolean, Kind::integer,
                                      Kind::number, Kind::text,    Kind::global};
    if (std::ranges::find(kNoAttributes, pickle_[top()].kind) != std::end(kNoAttributes))
      damaged("it sets attributes of a value that has none");
  }

  Ref unknown() {
    if (unknown_ == kNothing) unknown_ = pickle_.add_global("something", "unknown");
    return unknown_;
  }

  [[noreturn]] void damaged(std::string_view why) const {
    throw FormatError("import", fmt::format("{}: its pickle is damaged at byte {}: {}; save or "
                                            "download the file again",
                                            name_, position_, why));
  }

  [[noreturn]] void unsupported(std::string_view what) const {
    throw FormatError("import", fmt::format("{}: its pickle {}; save it again with torch.save's "
                                            "default, pickle_protocol=2, or as .safetensors",
                                            name_, what));
  }

  [[noreturn]] void too_many() const {
    throw FormatError("import", fmt::format("{}: its pickle has more than {} values, the limit of "
                                            "Unroll; save the weights alone: "
                                            "torch.save(model.state_dict(), \"weights.pt\")",
                                            name_, most_values_));
  }

  [[noreturn]] void refuse(std::string_view global) const {
    throw FormatError(
        "import", fmt::format("{}: its pickle names {}, which weights do not need and which may "
                              "run any code when Python loads the file; nothing was executed, and "
                              "the rest was not read; save the weights alone: "
                              "torch.save(model.state_dict(), \"weights.pt\")",
                              name_, in_quotes(global)));
  }

  // Indices into shared_.
  static constexpr std::size_t kNone = 0, kTrue = 1, kFalse = 2, kEmptyTuple = 3, kFirstByte = 4;

  std::string_view bytes_;
  const std::string& name_;
  std::size_t position_ = 0;
  Pickle pickle_;
  std::vector<Ref> stack_, memo_;
  std::vector<std::uint32_t> marks_;
  std::array<Ref, kFirstByte + 256> shared_;
  std::size_t most_values_;
  Ref unknown_ = kNothing;
  std::size_t names_length_ = 0;
};

}  // namespace

Pickle read_first_pickle(std::span<const std::byte> bytes, const std::string& name) {
  return Machine(bytes, name).run();
}

Pickle read_pickle(std::span<const std::byte> bytes, const std::string& name) {
  Pickle pickle = read_first_pickle(bytes, name);
  if (pickle.end != bytes.size())
    throw FormatError("import", fmt::format("{}: bytes follow the end of its pickle; the file is "
                                            "damaged, save or download it again",
                                            name));
  return pickle;
}

}  // namespace unroll::importer
