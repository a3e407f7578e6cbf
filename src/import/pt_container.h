// The two containers that torch.save has had: what is around a pickle and the tensors' elements.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "import/pickle.h"
#include "unroll/io/safetensors.h"

namespace unroll::importer {

/// The type of a storage's elements.
struct StorageType {
  std::size_t size = 0;                 ///< bytes an element
  std::optional<io::ElementType> type;  ///< nothing: one that is not supported
};

/// By the name of its class; nothing where that is not known.
std::optional<StorageType> storage_type(std::string_view global);

/// A file with a pickle, and with storages that it refers to.
class PtContainer {
 public:
  virtual ~PtContainer() = default;
  virtual const Pickle& pickle() const = 0;
  /// The elements of a storage; one longer than `size` bytes need not be read. Throws FormatError.
  virtual std::vector<std::byte> storage(const std::string& key, std::uint64_t size) = 0;
};

/// A zip archive: since PyTorch 1.6, and what torch.jit.save writes. Throws FormatError.
std::unique_ptr<PtContainer> open_pt_zip(const std::vector<std::byte>& bytes,
                                         const std::string& name);

/// Pickles and elements one behind the other: before PyTorch 1.6. Throws FormatError.
/// Source: torch/serialization.py, _legacy_save.
std::unique_ptr<PtContainer> open_pt_sequence(const std::vector<std::byte>& bytes,
                                              const std::string& name);

}  // namespace unroll::importer
