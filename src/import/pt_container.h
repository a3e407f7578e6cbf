// The two file formats of torch.save, which hold a pickle and the elements of tensors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/zip_archive.h"
#include "import/pickle.h"
#include "unroll/io/safetensors.h"

namespace unroll::importer {

/// PyTorch stores weights uncompressed, and compression would gain little. Only their descriptions
/// are much shorter when compressed.
inline constexpr data::ZipUse pt_use = {
    .operation = "import",
    .growth = 4,
    .remedy = "save the weights alone: torch.save(model.state_dict(), \"weights.pt\")"};

/// The type of a storage's elements.
struct StorageType {
  std::size_t size = 0;                 ///< bytes an element
  std::optional<io::ElementType> type;  ///< nullopt: not supported
};

/// The storage type with this class name; nullopt if the name is unknown.
std::optional<StorageType> storage_type(std::string_view global);

/// A file with a pickle and the storages that the pickle refers to.
class PtContainer {
 public:
  virtual ~PtContainer() = default;
  virtual const Pickle& pickle() const = 0;
  /// The elements of a storage. A storage of more than `size` bytes may be refused. Throws
  /// FormatError.
  virtual std::vector<std::byte> storage(const std::string& key, std::uint64_t size) = 0;
};

/// A zip archive: torch.save since PyTorch 1.6, and torch.jit.save. Throws FormatError.
std::unique_ptr<PtContainer> open_pt_zip(const std::vector<std::byte>& bytes,
                                         const std::string& name);

/// Pickles and elements one after the other: torch.save before PyTorch 1.6. Throws FormatError.
/// Source: torch/serialization.py, _legacy_save.
std::unique_ptr<PtContainer> open_pt_sequence(const std::vector<std::byte>& bytes,
                                              const std::string& name);

}  // namespace unroll::importer
