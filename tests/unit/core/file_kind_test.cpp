#include "core/file_kind.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace unroll {
namespace {

using namespace std::string_literals;

std::string kind_of(std::string content) {
  const auto kind = file_kind(std::as_bytes(std::span(content)));
  return kind ? kind->what : "";
}

/// A zip archive's first local header.
std::string zip(const std::string& entry) {
  std::string header = "PK\3\4" + std::string(22, '\0');
  header += static_cast<char>(entry.size());
  return header + "\0\0\0"s + entry;
}

// The first bytes are those of the formats' own descriptions.
TEST(Trial10, KindsAreToldByContent) {
  const std::pair<std::string, const char*> kinds[] = {
      {"", "an empty file"},
      {"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n", "Git LFS pointer"},
      {"\n<!DOCTYPE html>\n<html>", "an HTML or XML page"},
      {"\xef\xbb\xbf<?xml version=\"1.0\"?>", "an HTML or XML page"},
      {"\x89HDF\r\n\x1a\n\0\0\0\0"s, "HDF5"},
      {"\x08\x07\x12\x07pytorch\x1a\x05"s + "2.1.0:", "ONNX"},
      {"\x08\x04\x12\x0c"s + "backend-test:", "ONNX"},
      {"\x08\x01\x12\xb5\x11\x0a"s, "TensorFlow SavedModel"},
      {"\x1c\0\0\0TFL3\x14\0\x20\0"s, "TensorFlow Lite"},
      {"GGUF\3\0\0\0"s, "GGUF"},
      {"\x93NUMPY\1\0v\0"s, ".npy"},
      {"\x1f\x8b\x08\0"s, "gzip"},
      {"\xfd"s + "7zXZ\0\0"s, "xz"},
      {"BZh91AY&SY", "bzip2"},
      {"\x28\xb5\x2f\xfd\4"s, "zstd"},
      {"7z\xbc\xaf\x27\x1c\0\4"s, "7z"},
      {"./._model\0"s + std::string(247, '\0') + "ustar\00000", "tar"},
      {"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"s, "PNG"},
      {"\xff\xd8\xff\xe0\0\x10JFIF"s, "JPEG"},
      {"%PDF-1.7\n", "PDF"},
      {zip("weights/data.pkl"), "PyTorch's torch.save"},
      {zip("net/.format_version"), "PyTorch's torch.save"},
      {zip("arr_0.npy"), ".npz"},
      {zip("metadata.json"), "Keras model"},
      {zip("word/document.xml"), "a zip archive"},
      {"\x80\2\x8a\n\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\2M\xe9\3."s,
       "before PyTorch 1.6"},
      {"\x80\4\x95\x0e\0\0\0\0\0\0\0\x8a\n\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."s,
       "before PyTorch 1.6"},
      {"\x80\2}q\0X\1\0\0\0aq\1]q\2."s, "Python pickle"},
      {"\x80\4\x95\x10\0\0\0\0\0\0\0}\x94."s, "Python pickle"},
      {"(dp0\nS'a'\np1\n", "Python pickle"},
      {"{\"layers\": []}", "JSON"},
      {"  [1, 2]", "JSON"},
      {"{\n  \"metadata\": {\"total_size\": 5},\n  \"weight_map\": {}}", "index of several"},
      {"\0\0\x08\3\0\0\x27\x10\0\0\0\x1c\0\0\0\x1c"s, "idx file of images"},
      {"\0\0\x08\1\0\0\x27\x10\7\2\1"s, "idx file of labels"},
      {"\x40\0\0\0\0\0\0\0{\"a\":"s, "safetensors"},
      {"\x08\x07\x12\0\0\0\0\0{\"a\":"s, "safetensors"},  // and not ONNX
      {"Entry not found", "a text that begins with \"Entry not found\""},
      {"\n\nEpoch,Loss\n1,2\n", "a text that begins with \"Epoch,Loss\""},
  };
  for (const auto& [content, what] : kinds)
    EXPECT_NE(kind_of(content).find(what), std::string::npos)
        << what << ", found \"" << kind_of(content) << "\"";
  for (const std::string& unknown :
       {"\1\2\3\4"s, std::string(600, '\0'), "\x80\x09\x00"s, "PK"s + std::string(40, '\1'),
        "text\1with control characters"s})
    EXPECT_EQ(kind_of(unknown), "");
  // A character cut in two at the end of what is looked at.
  EXPECT_NE(kind_of("a" + std::string(600, '.') + "\n"), "");
  std::string cut(file_kind_bytes - 1, 'a');
  EXPECT_NE(kind_of(cut + "\xc3\xbc" + "b"), "");
}

TEST(Trial10, ZipArchivesAreToldByTheirEntries) {
  const std::array<std::string_view, 2> programs = {"m/version", "m/models/model.json"};
  EXPECT_NE(zip_kind(programs).what.find("torch.export"), std::string::npos);
  const std::array<std::string_view, 2> old = {"m/code/m.py", "m/model.json"};
  EXPECT_NE(zip_kind(old).what.find("before PyTorch 1.4"), std::string::npos);
}

TEST(Trial10, TheRemedySuitsTheKind) {
  const auto text = [](const std::string& content, bool weights) {
    return wrong_kind("a b.pt", *file_kind(std::as_bytes(std::span(content))), "X", "do Y",
                      weights);
  };
  EXPECT_EQ(text("\x1f\x8b\x08", false),
            "a b.pt is a gzip file, expected X; unpack it first: gunzip 'a b.pt'");
  EXPECT_EQ(text("GGUF\3", false), "a b.pt is a GGUF file of llama.cpp, expected X; do Y");
  EXPECT_NE(text("GGUF\3", true).find("safetensors.numpy.save_file"), std::string::npos);
}

}  // namespace
}  // namespace unroll
