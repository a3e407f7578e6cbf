#include "core/file_kind.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/printable.h"
#include "core/shell_word.h"

namespace unroll {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kDownload = "download it again",
                           kUnpack = "unpack it first, and give the file inside",
                           kImport = "import it first: unroll import FILE -o model.safetensors",
                           kConvert =
                               "save the weights under PyTorch's names with "
                               "safetensors.numpy.save_file, and import that file",
                           kStateDict =
                               "load it in Python and save the weights alone: "
                               "torch.save(model.state_dict(), \"weights.pt\")";

struct Signature {
  std::size_t at;
  std::string_view bytes;
  std::string_view what, remedy = {}, for_weights = {};
};

constexpr std::string_view kHdf5 = "an HDF5 file, as Keras writes (.h5)",
                           kPickle = "a Python pickle, as pickle.dump and joblib write";

/// The first match counts.
constexpr Signature kSignatures[] = {
    {0,
     "version https://git-lfs",
     "a Git LFS pointer, a short text in place of a file",
     "fetch the file itself: git lfs pull, or download it again",
     {}},
    {0, "\x89HDF\r\n\x1a\n", kHdf5, {}, kConvert},
    {0, "\x93NUMPY", "an .npy array"},
    {0, "GGUF", "a GGUF file of llama.cpp", {}, kConvert},
    {0, "\x1f\x8b", "a gzip file", "unpack it first: gunzip FILE", {}},
    {0,
     "\xfd"
     "7zXZ",
     "an xz file",
     "unpack it first: xz -d FILE",
     {}},
    {0, "BZh", "a bzip2 file", "unpack it first: bunzip2 FILE", {}},
    {0, "\x28\xb5\x2f\xfd", "a zstd file", "unpack it first: unzstd FILE", {}},
    {0, "7z\xbc\xaf\x27\x1c", "a 7z archive", kUnpack, {}},
    {0, "Rar!\x1a\x07", "a RAR archive", kUnpack, {}},
    {257, "ustar", "a tar archive", "unpack it first: tar -xf FILE", {}},
    {4, "TFL3", "a TensorFlow Lite model", {}, kConvert},
    {4, "ET12", "an ExecuTorch program", {}, kStateDict},
    {0, "\x89PNG\r\n\x1a\n", "a PNG image"},
    {0, "\xff\xd8\xff", "a JPEG image"},
    {0, "GIF8", "a GIF image"},
    {0, "RIFF", "a WAV, AVI or WebP file"},
    {0, "%PDF-", "a PDF"},
    {0, "MATLAB 5.0 MAT-file", "a MATLAB file (.mat)", {}, kConvert},
    {0, "SQLite format 3", "an SQLite database"},
    {0, "PAR1", "a Parquet file"},
    {0, "ARROW1", "an Arrow file"},
    {0,
     "\x7f"
     "ELF",
     "a program or library (ELF)"},
    // Magic numbers of idx files: two zeros, the type of the elements, the rank.
    {0, "\0\0\x08\x01"sv, "an idx file of labels"},
    {0, "\0\0\x08\x03"sv, "an idx file of images"},
    // Pickles of protocol 0, which are text.
    {0, "(dp", kPickle, {}, kStateDict},
    {0, "ccollections\n", kPickle, {}, kStateDict},
    {0, "ccopy_reg\n", kPickle, {}, kStateDict},
};

bool is_safetensors(std::string_view start) {
  // a header's length has 8 bytes; below 4 GB it uses 4
  constexpr std::size_t kLength = 8, kUsed = 4;
  return start.size() > kLength && start[kLength] == '{' &&
         start.substr(kUsed, kLength - kUsed) == "\0\0\0\0"sv;
}

/// A protocol buffer of onnx.ModelProto has no magic number. Its first field is the version of the
/// format. Then follows the producer's name, the domain, the graph or the operators.
bool is_onnx(std::string_view start) {
  constexpr std::string_view kNext = "\x12\x1a\x22\x32\x3a\x42";
  constexpr char kNewest = 20;
  return start.size() > 4 && start[0] == '\x08' && start[1] >= 3 && start[1] <= kNewest &&
         kNext.find(start[2]) != kNext.npos;
}

/// Files of torch.save before PyTorch 1.6 are a series of pickles. The first pickle is this number.
bool is_old_torch(std::string_view start) {
  constexpr std::string_view kMagic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
  constexpr std::size_t kBefore = 16;  // bytes before the number in protocols 2 to 5
  return start.starts_with('\x80') &&
         start.substr(0, kBefore + kMagic.size()).find(kMagic) != start.npos;
}

bool is_pickle(std::string_view start) {
  return start.size() > 2 && start[0] == '\x80' && start[1] >= 2 && start[1] <= 5;
}

/// The first line of a text; empty if `start` is not text.
std::string first_line(std::string_view start) {
  constexpr std::size_t kMost = 40;
  const bool is_text = std::ranges::all_of(start, [](char c) {
    const auto u = static_cast<unsigned char>(c);
    return (u >= 0x20 && u != 0x7f) || c == '\n' || c == '\r' || c == '\t';
  });
  // The end may cut a character in two; it is text all the same.
  std::string_view whole = start;
  for (int i = 0; i < 3 && start.size() == file_kind_bytes && !is_utf8(whole); ++i)
    whole.remove_suffix(1);
  if (!is_text || !is_utf8(whole)) return {};
  const auto first = whole.find_first_not_of(" \t\r\n");
  if (first == whole.npos) return {};
  std::string line(whole.substr(first, whole.find_first_of("\r\n", first) - first));
  if (line.size() > kMost) {
    line.resize(kMost);
    while (!is_utf8(line)) line.pop_back();
    line += "...";
  }
  return line;
}

/// The remedy with FILE replaced by the file's path.
std::string with_path(std::string_view remedy, const std::string& path) {
  constexpr std::string_view kFile = "FILE";
  std::string text(remedy);
  if (const auto at = text.find(kFile); at != text.npos)
    text.replace(at, kFile.size(), shell_word(path));
  return text;
}

std::string_view first_entry(std::string_view zip) {
  constexpr std::size_t kLengthAt = 26, kNameAt = 30;
  if (zip.size() < kNameAt) return {};
  const std::size_t length = static_cast<unsigned char>(zip[kLengthAt]) +
                             (std::size_t{static_cast<unsigned char>(zip[kLengthAt + 1])} << 8);
  return zip.substr(kNameAt, length);
}

}  // namespace

FileKind zip_kind(std::span<const std::string_view> entries) {
  const auto any_ends_in = [&](std::initializer_list<std::string_view> ends) {
    return std::ranges::any_of(entries, [&](std::string_view name) {
      return std::ranges::any_of(ends, [&](std::string_view end) { return name.ends_with(end); });
    });
  };
  if (any_ends_in({"models/model.json", "serialized_exported_program.json", "archive_format"}))
    return {"a program of torch.export (.pt2)", {}, kStateDict};
  if (any_ends_in({"data.pkl", "/byteorder", "/.format_version", "/data/0", "/code/__torch__.py",
                   "/version"}))
    return {std::string(pt_zip_kind), {}, kImport};
  if (any_ends_in({"/model.json"})) return {"TorchScript from before PyTorch 1.4", {}, kStateDict};
  if (any_ends_in({".npy"})) return {"an .npz archive of NumPy arrays", {}, kConvert};
  if (any_ends_in({"model.weights.h5"}) || (!entries.empty() && entries[0] == "metadata.json"))
    return {"a Keras model (.keras)", {}, kConvert};
  return {"a zip archive", "unpack it first: unzip FILE", {}};
}

std::vector<std::byte> file_start(const InputFile& file) {
  std::vector<std::byte> start(std::min<std::uint64_t>(file_kind_bytes, file.size()));
  file.read_at(0, start);
  return start;
}

std::optional<FileKind> file_kind(std::span<const std::byte> bytes) {
  const std::string_view start(reinterpret_cast<const char*>(bytes.data()),
                               std::min(bytes.size(), file_kind_bytes));
  if (start.empty()) return FileKind{"an empty file", "write or download it again", {}};
  if (is_safetensors(start)) return FileKind{std::string(safetensors_kind)};
  for (const Signature& s : kSignatures)
    if (start.size() > s.at && start.substr(s.at).starts_with(s.bytes))
      return FileKind{std::string(s.what), s.remedy, s.for_weights};
  if (start.starts_with("PK\3\4")) return zip_kind(std::array{first_entry(start)});
  if (start.starts_with("PK\5\6")) return FileKind{"an empty zip archive", kDownload, {}};
  if (is_onnx(start))
    return FileKind{"an ONNX model",
                    {},
                    "import the state_dict of the PyTorch model that it was exported from"};
  if (start.starts_with("\x08\x01\x12")) return FileKind{"a TensorFlow SavedModel", {}, kConvert};
  if (is_old_torch(start)) return FileKind{std::string(pt_sequence_kind), {}, kImport};
  if (is_pickle(start)) return FileKind{std::string(kPickle), {}, kStateDict};
  const std::string_view after_mark = start.starts_with("\xef\xbb\xbf") ? start.substr(3) : start;
  const auto first = after_mark.find_first_not_of(" \t\r\n");
  const char c = first == after_mark.npos ? '\0' : after_mark[first];
  if (c == '<')
    return FileKind{
        "an HTML or XML page", "download it again: a server may send a page instead of a file", {}};
  const std::string line = first_line(after_mark);
  if (line.empty()) return std::nullopt;
  if (c == '{' || c == '[') {
    if (start.find("\"weight_map\"") != start.npos || start.find("\"total_size\"") != start.npos)
      return FileKind{
          "an index of several safetensors files", {}, "give one of the files that it lists"};
    return FileKind{"a JSON text", {}, {}, true};
  }
  return FileKind{fmt::format("a text that begins with {}", in_quotes(line)), {}, {}, true};
}

std::string remedy_of(const std::string& path, const FileKind& kind) {
  return with_path(kind.remedy, path);
}

std::string wrong_kind(const std::string& path, const FileKind& kind, std::string_view wanted,
                       std::string_view remedy, bool weights) {
  if (!kind.remedy.empty())
    remedy = kind.remedy;
  else if (weights && !kind.for_weights.empty())
    remedy = kind.for_weights;
  return fmt::format("{} is {}, expected {}; {}", path, kind.what, wanted, with_path(remedy, path));
}

}  // namespace unroll
