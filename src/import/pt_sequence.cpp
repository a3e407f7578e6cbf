#include <fmt/format.h>

#include <cstring>
#include <map>

#include "core/printable.h"
#include "import/pt_container.h"
#include "unroll/core/error.h"

namespace unroll::importer {
namespace {

using Kind = Value::Kind;

constexpr std::size_t kLongestKey = (1 << 10) + 1;  // no storage has a longer one

/// The format: five pickles (a magic number, the version of the format, facts about the machine,
/// the object, the keys of its storages). Then, for each storage, the number of its elements and
/// the elements.
class PtSequence final : public PtContainer {
 public:
  PtSequence(const std::vector<std::byte>& bytes, const std::string& name)
      : rest_(bytes), name_(name) {
    next();  // the magic number
    next();  // the version, always 1001
    check_machine(next());
    pickle_ = next();
    find_storages(next());
  }

  const Pickle& pickle() const override { return *pickle_; }

  std::vector<std::byte> storage(const std::string& key, std::uint64_t) override {
    const auto found = storages_.find(key);
    if (found == storages_.end()) fail(fmt::format("there is no storage {}", in_quotes(key)));
    return {found->second.begin(), found->second.end()};
  }

 private:
  [[noreturn]] void fail(std::string_view why) const {
    throw FormatError(
        "import",
        fmt::format("{}: {}; the file is damaged, save or download it again", name_, why));
  }

  Pickle next() {
    Pickle pickle = read_first_pickle(rest_, name_);
    rest_ = rest_.subspan(pickle.end);
    return pickle;
  }

  void check_machine(const Pickle& facts) const {
    const auto members = facts.members(facts.root);
    for (std::size_t i = 0; i + 1 < members.size(); i += 2)
      if (facts.text(members[i]) == "little_endian" && facts[members[i + 1]].integer == 0)
        throw FormatError("import", fmt::format("{}: its numbers are not little-endian; load and "
                                                "save it again on a little-endian machine",
                                                name_));
  }

  void find_storages(const Pickle& keys) {
    std::map<std::string_view, std::size_t> sizes;  // bytes an element, by key
    for (Ref ref = 0; ref < pickle_->size(); ++ref) {
      if (!pickle_->is(ref, Kind::storage)) continue;
      const auto parts = pickle_->items(ref);
      if (const auto type = storage_type(pickle_->text(parts[0])))
        sizes.emplace(pickle_->text(parts[1]), type->size);
    }
    for (const Ref ref : keys.items(keys.root)) {
      const std::string_view key = keys.text(ref).substr(0, kLongestKey);
      const auto size = sizes.find(key);
      if (size == sizes.end()) fail(fmt::format("storage {} has an unknown type", in_quotes(key)));
      std::uint64_t count = 0;
      if (rest_.size() < sizeof count) fail("it ends within its storages");
      std::memcpy(&count, rest_.data(), sizeof count);
      rest_ = rest_.subspan(sizeof count);
      if (count > rest_.size() / size->second) fail("it ends within its storages");
      storages_[std::string(key)] = rest_.first(count * size->second);
      rest_ = rest_.subspan(count * size->second);
    }
    if (!rest_.empty()) fail(fmt::format("{} bytes follow its last storage", rest_.size()));
  }

  std::span<const std::byte> rest_;
  const std::string& name_;
  std::optional<Pickle> pickle_;
  std::map<std::string, std::span<const std::byte>> storages_;
};

}  // namespace

std::unique_ptr<PtContainer> open_pt_sequence(const std::vector<std::byte>& bytes,
                                              const std::string& name) {
  return std::make_unique<PtSequence>(bytes, name);
}

}  // namespace unroll::importer
