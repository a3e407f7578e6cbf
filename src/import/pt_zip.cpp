#include <fmt/format.h>

#include <algorithm>

#include "core/file_kind.h"
#include "import/pt_container.h"
#include "unroll/core/error.h"

namespace unroll::importer {
namespace {

constexpr std::uint64_t kLongestPickle = std::uint64_t{1} << 28;

class PtZip final : public PtContainer {
 public:
  PtZip(const std::vector<std::byte>& bytes, const std::string& name)
      : archive_(bytes, name, pt_use) {
    constexpr std::string_view kPickle = "data.pkl";
    const std::string_view entry =
        archive_.has(kPickle) ? kPickle : archive_.only_entry_ending_in("/data.pkl");
    if (entry.empty()) refuse(name);
    folder_ = entry.substr(0, entry.size() - kPickle.size());
    if (const std::string order = folder_ + "byteorder"; archive_.has(order)) {
      constexpr std::uint64_t kLongest = 16;
      const std::vector<std::byte> text = archive_.read(order, kLongest);
      constexpr std::string_view kLittle = "little";
      if (!std::ranges::equal(text, std::as_bytes(std::span(kLittle))))
        throw FormatError("import", fmt::format("{}: its numbers are not little-endian; load and "
                                                "save it again on a little-endian machine",
                                                name));
    }
    pickle_bytes_ = archive_.read(entry, kLongestPickle);
    pickle_ = read_pickle(pickle_bytes_, name);
  }

  const Pickle& pickle() const override { return *pickle_; }

  std::vector<std::byte> storage(const std::string& key, std::uint64_t size) override {
    return archive_.read(folder_ + "data/" + key, size);
  }

 private:
  [[noreturn]] void refuse(const std::string& name) const {
    const FileKind kind = zip_kind(archive_.names());
    if (kind.what == pt_zip_kind)
      throw FormatError("import", fmt::format("{}: it has no data.pkl; torch.save was probably "
                                              "interrupted, save it again",
                                              name));
    throw FormatError("import", wrong_kind(name, kind, "a .pt of torch.save or a .safetensors",
                                           "save it again with torch.save", true));
  }

  data::ZipArchive archive_;
  std::string folder_;  // the folder of the entries, with a slash at its end
  std::vector<std::byte> pickle_bytes_;
  std::optional<Pickle> pickle_;
};

}  // namespace

std::unique_ptr<PtContainer> open_pt_zip(const std::vector<std::byte>& bytes,
                                         const std::string& name) {
  return std::make_unique<PtZip>(bytes, name);
}

}  // namespace unroll::importer
