#include "run/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/file.h"
#include "core/file_kind.h"
#include "core/json.h"
#include "data/sha256.h"
#include "unroll/core/error.h"

namespace unroll::run {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 1;
constexpr std::string_view kStatusNames[] = {"training", "interrupted", "finished", "diverged"};

[[noreturn]] void damaged(const std::string& path) {
  throw FormatError("manifest",
                    fmt::format("{} is damaged, or not the manifest of a run; restore the folder "
                                "from a copy, or train again (if another program wrote it, move it "
                                "to another folder)",
                                path));
}

/// Whether it is the name of a file directly in the folder, without control characters.
bool is_plain(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && std::ranges::none_of(name, [](char c) {
    return c == '/' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
}

/// The text of the JSON, with the hash of its content added as the last line.
std::string sealed(Json json) {
  const std::string content = json.dump(2);
  json["sha256"] = data::sha256(std::as_bytes(std::span(content)));
  return json.dump(2) + "\n";
}

}  // namespace

FileHash hash_of(std::span<const std::byte> content) {
  return {content.size(), data::sha256(content)};
}

std::string_view name_of(RunStatus status) {
  return kStatusNames[static_cast<std::size_t>(status)];
}

std::string Manifest::text() const {
  Json listed = Json::object();
  for (const auto& [name, hashes] : files) {
    Json& all = listed[name] = Json::array();
    for (const FileHash& h : hashes)
      all.push_back(h == FileHash{} ? Json() : Json{{"bytes", h.bytes}, {"sha256", h.sha256}});
  }
  return sealed({{"version", kVersion},
                 {"status", name_of(status)},
                 {"step", step},
                 {"files", std::move(listed)}});
}

std::optional<Manifest> Manifest::read(const Folder& folder) {
  constexpr std::uint64_t kLargest = 1 << 20;
  if (!folder.has(file_name)) return std::nullopt;
  const std::string path = folder.path_of(file_name);
  const std::string text = read_text("manifest", folder, file_name, kLargest);
  if (const auto kind = file_kind(std::as_bytes(std::span(text)));
      kind && !kind->remedy.empty() && !text.empty())
    throw FormatError("manifest", wrong_kind(path, *kind, "the manifest of a run", {}));
  const Json json = parse_json(text, [&](std::string_view) { damaged(path); });
  if (!json.is_object()) damaged(path);
  Json content = json;
  content.erase("sha256");
  try {
    if (sealed(std::move(content)) != text) damaged(path);
    if (const int version = json.at("version").get<int>(); version > kVersion)
      throw FormatError("manifest", fmt::format("{} was written by a newer version (its format is "
                                                "{}, this program reads {}); update Unroll",
                                                path, version, kVersion));
    Manifest manifest;
    const auto status = std::ranges::find(kStatusNames, json.at("status").get<std::string>());
    if (status == std::end(kStatusNames)) damaged(path);
    manifest.status = static_cast<RunStatus>(status - std::begin(kStatusNames));
    json.at("step").get_to(manifest.step);
    for (const auto& [name, hashes] : json.at("files").items()) {
      if (!is_plain(name)) damaged(path);
      for (const Json& h : hashes)
        manifest.files[name].push_back(h.is_null() ? FileHash{}
                                                   : FileHash{h.at("bytes"), h.at("sha256")});
    }
    return manifest;
  } catch (const Json::exception&) {
    damaged(path);
  }
}

void Manifest::write(const Folder& folder) const {
  const std::string content = text();
  write_file("manifest", folder, file_name, std::as_bytes(std::span(content)));
}

bool Manifest::may_be_missing(const std::string& name) const {
  const auto& hashes = files.at(name);
  return std::ranges::find(hashes, FileHash{}) != hashes.end();
}

bool Manifest::is_intact(const Folder& folder, const std::string& name) const {
  try {
    if (may_be_missing(name) && !folder.has(name)) return true;
    load(folder, name);
    return true;
  } catch (const Error&) {
    return false;
  }
}

std::map<std::string, std::string> Manifest::damage(const Folder& folder) const {
  std::map<std::string, std::string> all;
  for (const auto& [name, hashes] : files) {
    if (!folder.has(name)) {
      if (!may_be_missing(name)) all[name] = "is missing";
      continue;
    }
    try {
      load(folder, name);
    } catch (const FormatError&) {
      all[name] = "is not as it was written: its SHA-256 is not what manifest.json says";
    } catch (const FileError& error) {
      all[name] = fmt::format("can't be read: {}", error.what());
    }
  }
  return all;
}

std::vector<std::byte> Manifest::load(const Folder& folder, const std::string& name) const {
  const auto& hashes = files.at(name);
  const InputFile file("manifest", folder, name);
  const auto refuse = [&](const std::string& what) {
    throw FormatError(
        "manifest",
        fmt::format("{} is damaged or was changed: its {} not what manifest.json says; restore "
                    "it from a copy, or train again",
                    file.path(), what));
  };
  // Compare the size before memory of that size is allocated.
  if (std::ranges::none_of(hashes, [&](const FileHash& h) { return h.bytes == file.size(); }))
    refuse(fmt::format("{} bytes are", file.size()));
  std::vector<std::byte> content(file.size());
  file.read_at(0, content);
  if (std::ranges::find(hashes, hash_of(content)) == hashes.end()) refuse("SHA-256 is");
  return content;
}

}  // namespace unroll::run
