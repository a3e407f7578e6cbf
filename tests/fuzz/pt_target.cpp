// PyTorch's files: zip archives, the pickle inside one (no fuzzer finds a CRC-32), and what was
// before PyTorch 1.6.
#include <zlib.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/file_kind.h"
#include "import/pickle.h"
#include "import/pt_container.h"
#include "import/state_dict.h"
#include "target.h"

namespace unroll::fuzz {
namespace {

void append(std::string& out, std::uint64_t value, int bytes) {
  for (; bytes > 0; --bytes, value >>= 8) out.push_back(static_cast<char>(value & 0xff));
}

/// A zip archive of stored entries.
class Archive {
 public:
  void add(std::string_view name, std::string_view content) {
    const auto position = local_.size();
    const auto checksum = ::crc32(0, reinterpret_cast<const Bytef*>(content.data()),
                                  static_cast<uInt>(content.size()));
    std::string common;       // to both headers
    append(common, 10, 2);    // the version needed
    append(common, 0, 6);     // no flags, stored, midnight
    append(common, 0x21, 2);  // of 1980-01-01
    append(common, checksum, 4);
    append(common, content.size(), 4);
    append(common, content.size(), 4);
    append(common, name.size(), 2);
    append(common, 0, 2);
    local_.append("PK\3\4").append(common).append(name).append(content);
    central_.append("PK\1\2");
    append(central_, 10, 2);
    central_.append(common);
    append(central_, 0, 10);
    append(central_, position, 4);
    central_.append(name);
    ++entries_;
  }

  std::vector<std::byte> bytes() const {
    std::string all = local_ + central_ + "PK\5\6";
    append(all, 0, 4);
    append(all, entries_, 2);
    append(all, entries_, 2);
    append(all, central_.size(), 4);
    append(all, local_.size(), 4);
    append(all, 0, 2);
    const auto data = std::as_bytes(std::span(all));
    return {data.begin(), data.end()};
  }

 private:
  std::string local_, central_;
  std::uint64_t entries_ = 0;
};

/// Every value is read: the views must lie within what was read.
bool read(const std::vector<std::byte>& file, std::string* why = nullptr) {
  importer::StateDict state;
  // By a path, and with some left out.
  const std::vector<std::string> ignore = {"*bias*"};
  for (const char* key : {"model", "a.0", "model.state_dict"})
    accepts([&] { importer::parse_pt(file, "FILE", key, ignore); });
  if (!accepts([&] { state = importer::parse_pt(file, "FILE"); }, why)) return false;
  std::uint64_t bytes = 0;
  for (const io::ArrayView& array : state.arrays) {
    std::uint64_t count = 1;
    for (const std::int64_t size : array.shape) count *= static_cast<std::uint64_t>(size);
    require(count * io::size_of(array.type) == array.data.size(), "data is as large as its shape");
    bytes += array.data.size();
    std::vector<double> values(count);
    accepts([&] { io::to_floats(array, std::span(values)); });
  }
  require(bytes <= data::most_decoded(file.size(), importer::pt_use),
          "not many more bytes than the file has");
  return true;
}

}  // namespace

void pt(Bytes bytes) {
  const auto data = std::as_bytes(bytes);
  const auto kind = file_kind(data);
  if (text_of(bytes).starts_with("PK") || (kind && kind->what == pt_sequence_kind)) {
    read({data.begin(), data.end()});
    return;
  }
  Archive archive;
  archive.add("a/data.pkl", text_of(bytes));
  archive.add("a/data/0", std::string(64, '\1'));
  archive.add("a/data/1", std::string(16, '\2'));
  const bool is_pickle = accepts([&] { importer::read_pickle(data, "FILE"); });
  std::string why;
  const bool accepted = read(archive.bytes(), &why);
  require(!why.starts_with("[import] FILE: the zip archive can't be read"),
          "what was made here is a zip archive");
  require(is_pickle || !accepted, "what is read as a file is read as a pickle");
}

}  // namespace unroll::fuzz
