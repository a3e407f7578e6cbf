#include "target.h"

#include <libdeflate.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "cost/counter.h"

namespace unroll::fuzz {
namespace {

struct ScratchFolder {
  std::filesystem::path folder;
  std::string file;

  ScratchFolder() {
    // Memory rather than a disk, where every written file would wait for it.
    const std::filesystem::path shared = "/dev/shm";
    const bool has_memory = ::access(shared.c_str(), W_OK) == 0;
    std::string name =
        (has_memory ? shared : std::filesystem::temp_directory_path()) / "unroll-fuzz-XXXXXX";
    require(::mkdtemp(name.data()) != nullptr, "a folder for scratch files can be made");
    folder = name;
    file = folder / "file";
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }
};

std::uint64_t counted_size = 0;

}  // namespace

void count_input_as(std::uint64_t size) { counted_size = size; }

void run_within_budget(void (*target)(Bytes), Bytes bytes) {
  // For any input, and for a byte of it; twice what the costliest of fuzz_seeds.py's needs. A
  // reader that goes through all things for each of them needs more for a few thousand.
  constexpr std::uint64_t kBlocks = 10'000'000, kBlocksForAByte = 1'200;
  constexpr std::uint64_t kMemory = 16 << 20, kMemoryForAByte = 64;
  // What a gzip file is said to hold is asked for at once, up to deflate's best.
  constexpr std::uint64_t kMemoryForAByteOfGzip = 2 * 1032;
  counted_size = 0;
  test::start_counting();
  target(bytes);
  const test::Cost cost = test::stop_counting();
  const bool is_gzip = bytes.size() > 1 && bytes[0] == 0x1f && bytes[1] == 0x8b;
  const std::uint64_t size = std::max<std::uint64_t>(bytes.size(), counted_size);
  const std::uint64_t most_blocks = kBlocks + kBlocksForAByte * size,
                      most_memory =
                          kMemory + (is_gzip ? kMemoryForAByteOfGzip : kMemoryForAByte) * size;
  if (cost.blocks <= most_blocks && cost.bytes <= most_memory) return;
  std::fprintf(stderr, "%zu bytes of input cost %llu basic blocks and %zu bytes of memory\n",
               bytes.size(), static_cast<unsigned long long>(cost.blocks), cost.bytes);
  require(false, "reading costs no more than its budget");
}

void require(bool holds, std::string_view what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

void require_printable(const Error& error) {
  for (const char c : std::string_view(error.what()))
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      require(false, "an error has no control characters");
}

MemoryFile::MemoryFile() : descriptor_(::memfd_create("fuzz", MFD_CLOEXEC)) {
  require(descriptor_ >= 0, "a file in memory can be made");
  path_ = "/proc/self/fd/" + std::to_string(descriptor_);
}

MemoryFile::~MemoryFile() { ::close(descriptor_); }

void MemoryFile::assign(Bytes bytes) {
  const bool fits =
      ::ftruncate(descriptor_, 0) == 0 &&
      ::pwrite(descriptor_, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size());
  require(fits, "a file in memory can be written");
}

std::vector<std::uint8_t> gzip_of(Bytes content) {
  static const std::unique_ptr<libdeflate_compressor, decltype(&libdeflate_free_compressor)>
      compressor(libdeflate_alloc_compressor(1), &libdeflate_free_compressor);
  std::vector<std::uint8_t> file(libdeflate_gzip_compress_bound(compressor.get(), content.size()));
  file.resize(libdeflate_gzip_compress(compressor.get(), content.data(), content.size(),
                                       file.data(), file.size()));
  return file;
}

const std::string& scratch_path() {
  static const ScratchFolder folder;
  return folder.file;
}

}  // namespace unroll::fuzz
