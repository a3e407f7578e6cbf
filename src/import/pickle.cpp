#include "import/pickle.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/printable.h"
#include "unroll/core/error.h"

namespace unroll::importer {
namespace {

// A state_dict takes some 60 operations a tensor; a recurrent model has at most some thousands.
constexpr std::size_t kMostOperations = std::size_t{1} << 22;
constexpr std::size_t kMostValues = std::size_t{1} << 20;

constexpr std::string_view kOrderedDict = "collections.OrderedDict",
                           kTensor = "torch._utils._rebuild_tensor_v2",
                           kParameter = "torch._utils._rebuild_parameter";

constexpr std::string_view kStorages[] = {
    "torch.FloatStorage", "torch.DoubleStorage", "torch.HalfStorage",  "torch.BFloat16Storage",
    "torch.LongStorage",  "torch.IntStorage",    "torch.ShortStorage", "torch.CharStorage",
    "torch.ByteStorage",  "torch.BoolStorage"};

bool is_storage(std::string_view global) {
  return std::ranges::find(kStorages, global) != std::end(kStorages);
}

bool is_allowed(std::string_view global) {
  return global == kOrderedDict || global == kTensor || global == kParameter || is_storage(global);
}

/// The machine that pickles are programs of, without the operations that make or call anything.
class Machine {
 public:
  Machine(std::span<const std::byte> bytes, const std::string& name)
      : bytes_(reinterpret_cast<const char*>(bytes.data()), bytes.size()), name_(name) {}

  Pickle run() {
    for (std::size_t operations = 0; operations < kMostOperations; ++operations) {
      const auto code = static_cast<unsigned char>(take(1)[0]);
      if (code == '.') {
        pickle_.root = pop();
        if (!stack_.empty() || position_ != bytes_.size()) damaged("it goes on after its end");
        return std::move(pickle_);
      }
      step(code);
    }
    damaged(fmt::format("more than {} operations", kMostOperations));
  }

 private:
  using Kind = Value::Kind;

  void step(unsigned char code) {
    switch (code) {
      case 0x80:  // PROTO
        if (const auto version = number<std::uint8_t>(); version != 2) other_protocol(version);
        return;
      case 'N':
        return push({Kind::none});
      case 0x88:  // NEWTRUE
        return push({Kind::boolean, 1});
      case 0x89:  // NEWFALSE
        return push({Kind::boolean, 0});
      case 'J':  // BININT
        return push({Kind::integer, number<std::int32_t>()});
      case 'K':  // BININT1
        return push({Kind::integer, number<std::uint8_t>()});
      case 'M':  // BININT2
        return push({Kind::integer, number<std::uint16_t>()});
      case 0x8a:  // LONG1
        return push({Kind::integer, long_integer()});
      case 'G':  // BINFLOAT
        return push({Kind::real, 0, real()});
      case 'X':  // BINUNICODE
        return push({Kind::text, 0, 0, std::string(take(number<std::uint32_t>()))});
      case 'c':  // GLOBAL
        return push({Kind::global, 0, 0, global()});
      case '}':
        return push({Kind::dict});
      case ']':
        return push({Kind::list});
      case ')':
        return push({Kind::tuple});
      case '(':
        return marks_.push_back(stack_.size());
      case 't':  // TUPLE
        return push({Kind::tuple, 0, 0, {}, pop_to_mark()});
      case 0x85:  // TUPLE1 to TUPLE3
      case 0x86:
      case 0x87:
        return push({Kind::tuple, 0, 0, {}, pop(code - 0x84u)});
      case 'a':  // APPEND
        return extend(Kind::list, pop(1));
      case 'e':  // APPENDS
        return extend(Kind::list, pop_to_mark());
      case 's':  // SETITEM
        return extend(Kind::dict, pop(2));
      case 'u':  // SETITEMS
        return extend(Kind::dict, pop_to_mark());
      case 'q':  // BINPUT
        return remember(number<std::uint8_t>());
      case 'r':  // LONG_BINPUT
        return remember(number<std::uint32_t>());
      case 'h':  // BINGET
        return recall(number<std::uint8_t>());
      case 'j':  // LONG_BINGET
        return recall(number<std::uint32_t>());
      case 'Q':  // BINPERSID
        return push(storage(pickle_[pop()]));
      case 'R':  // REDUCE
        return reduce();
      case 'b':  // BUILD: the _metadata of a state_dict, versions of modules
        pop();
        if (pickle_[top()].kind != Kind::dict)
          damaged("it changes something else than a dictionary");
        return;
      default:
        refuse(fmt::format("has the operation 0x{:02x}", code));
    }
  }

  /// Bytes that are there.
  std::string_view take(std::size_t count) {
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

  std::int64_t long_integer() {
    const std::string_view digits = take(number<std::uint8_t>());
    if (digits.size() > 8) damaged("an integer has more than 64 bits");
    std::uint64_t value = !digits.empty() && (digits.back() & 0x80) ? ~std::uint64_t{0} : 0;
    for (std::size_t i = digits.size(); i-- > 0;)
      value = value << 8 | static_cast<unsigned char>(digits[i]);
    return static_cast<std::int64_t>(value);
  }

  double real() {  // big-endian, as nothing else in the file
    std::uint64_t bits = 0;
    for (const char c : take(8)) bits = bits << 8 | static_cast<unsigned char>(c);
    return std::bit_cast<double>(bits);
  }

  std::string_view line() {
    const std::size_t end = bytes_.find('\n', position_);
    if (end == std::string_view::npos) damaged("it ends too early");
    const std::string_view text = take(end - position_);
    take(1);
    return text;
  }

  std::string global() {
    const std::string_view module = line();
    std::string name = fmt::format("{}.{}", module, line());
    if (!is_allowed(name)) refuse("asks for " + in_quotes(name));
    return name;
  }

  void push(Value value) {
    if (pickle_.values.size() == kMostValues)
      damaged(fmt::format("more than {} values", kMostValues));
    stack_.push_back(static_cast<Ref>(pickle_.values.size()));
    pickle_.values.push_back(std::move(value));
  }

  /// What may be taken is above the last mark.
  std::size_t available() const { return stack_.size() - (marks_.empty() ? 0 : marks_.back()); }

  Ref top() const {
    if (available() == 0) damaged("it takes a value where there is none");
    return stack_.back();
  }

  Ref pop() {
    const Ref ref = top();
    stack_.pop_back();
    return ref;
  }

  std::vector<Ref> pop(std::size_t count) {
    if (available() < count) damaged("it takes a value where there is none");
    const auto first = stack_.end() - static_cast<std::ptrdiff_t>(count);
    std::vector<Ref> items(first, stack_.end());
    stack_.erase(first, stack_.end());
    return items;
  }

  std::vector<Ref> pop_to_mark() {
    if (marks_.empty()) damaged("it takes values up to a mark that is not there");
    std::vector<Ref> items = pop(available());
    marks_.pop_back();
    return items;
  }

  void extend(Kind kind, const std::vector<Ref>& items) {
    Value& value = pickle_.values[top()];
    if (value.kind != kind || (kind == Kind::dict && items.size() % 2 != 0))
      damaged("it adds to something else than a list or a dictionary");
    value.items.insert(value.items.end(), items.begin(), items.end());
  }

  void remember(std::size_t place) {
    if (place >= kMostValues) damaged(fmt::format("it remembers a value as number {}", place));
    if (place >= memo_.size()) memo_.resize(place + 1, kNothing);
    memo_[place] = top();
  }

  void recall(std::size_t place) {
    if (place >= memo_.size() || memo_[place] == kNothing)
      damaged(fmt::format("it takes number {}, which it never remembered", place));
    stack_.push_back(memo_[place]);
  }

  bool is(Ref ref, Kind kind) const { return pickle_[ref].kind == kind; }

  /// ("storage", type, key, device, elements)
  Value storage(const Value& id) const {
    const std::vector<Ref>& part = id.items;
    if (id.kind != Kind::tuple || part.size() != 5 || pickle_[part[0]].text != "storage" ||
        !is(part[1], Kind::global) || !is_storage(pickle_[part[1]].text) ||
        !is(part[2], Kind::text) || !is(part[4], Kind::integer))
      damaged("it refers to something else than a tensor's storage");
    return {Kind::storage, 0, 0, {}, {part[1], part[2], part[4]}};
  }

  void reduce() {
    const Value& arguments = pickle_[pop()];
    const Value& function = pickle_[pop()];
    if (function.kind != Kind::global || arguments.kind != Kind::tuple)
      damaged("it calls something that is no function");
    const std::vector<Ref>& given = arguments.items;
    if (function.text == kOrderedDict && given.empty()) return push({Kind::dict});
    // (storage, offset, sizes, strides, requires_grad, hooks[, metadata])
    if (function.text == kTensor && (given.size() == 6 || given.size() == 7) &&
        is(given[0], Kind::storage) && is(given[1], Kind::integer) && is(given[2], Kind::tuple) &&
        is(given[3], Kind::tuple))
      return push({Kind::tensor, 0, 0, {}, {given.begin(), given.begin() + 4}});
    // (tensor, requires_grad, hooks)
    if (function.text == kParameter && given.size() == 3 && is(given[0], Kind::tensor))
      return stack_.push_back(given[0]);
    damaged(fmt::format("{} is given what it does not take", function.text));
  }

  [[noreturn]] void damaged(std::string_view why) const {
    throw FormatError("import", fmt::format("{}: the pickle is not one of a state_dict (byte {}): "
                                            "{}; the file is damaged, save or download it again",
                                            name_, position_, why));
  }

  [[noreturn]] void other_protocol(int version) const {
    constexpr int kNewest = 5;
    if (version > kNewest) damaged(fmt::format("its protocol is {}, expected 2", version));
    throw FormatError("import", fmt::format("{}: its pickle is of protocol {}, expected 2; save it "
                                            "again with torch.save's default, pickle_protocol=2, "
                                            "or as .safetensors",
                                            name_, version));
  }

  [[noreturn]] void refuse(std::string_view what) const {
    throw FormatError(
        "import", fmt::format("{}: the pickle {}, which weights do not need, so it was not read "
                              "further and nothing was executed; save the weights alone: "
                              "torch.save(model.state_dict(), \"weights.pt\")",
                              name_, what));
  }

  static constexpr Ref kNothing = ~Ref{0};

  std::string_view bytes_;
  const std::string& name_;
  std::size_t position_ = 0;
  Pickle pickle_;
  std::vector<Ref> stack_, memo_;
  std::vector<std::size_t> marks_;
};

}  // namespace

Pickle read_pickle(std::span<const std::byte> bytes, const std::string& name) {
  return Machine(bytes, name).run();
}

}  // namespace unroll::importer
