#include "app/download.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <span>

#include "app/curl_library.h"
#include "app/messages.h"
#include "core/file.h"
#include "data/sha256.h"

namespace unroll::app {
namespace {

// One attempt's state, for libcurl's callbacks.
struct Transfer {
  const DownloadOptions& options;
  std::uint64_t size;
  std::vector<std::byte> content;
  bool show_progress = false;
  bool too_long = false;
};

std::size_t on_data(char* data, std::size_t, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  if (count > transfer.size - transfer.content.size()) {
    transfer.too_long = true;
    return 0;
  }
  const auto bytes = std::as_bytes(std::span(data, count));
  transfer.content.insert(transfer.content.end(), bytes.begin(), bytes.end());
  return count;
}

int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  const auto& transfer = *static_cast<Transfer*>(user);
  if (transfer.show_progress)
    tell("\r{:5.1f} of {:.1f} MB", static_cast<double>(transfer.content.size()) / 1e6,
         static_cast<double>(transfer.size) / 1e6);
  return transfer.options.cancelled && transfer.options.cancelled() ? 1 : 0;
}

struct Failure {
  std::string why;     // empty: none
  bool again = false;  // another attempt may help
};

Failure fetch(const std::string& url, Transfer& transfer) {
  const CurlLibrary& curl = CurlLibrary::get();
  const std::unique_ptr<CURL, decltype(curl.easy_cleanup)> owner(curl.easy_init(),
                                                                 curl.easy_cleanup);
  if (!owner) throw Error("download", "libcurl can't be initialised");
  CURL* handle = owner.get();
  char reason[CURL_ERROR_SIZE] = "";
  curl.set(handle, CURLOPT_URL, url.c_str());
  curl.set(handle, CURLOPT_USERAGENT, "unroll");
  curl.set_protocols(handle);
  curl.set(handle, CURLOPT_FOLLOWLOCATION, 1L);
  curl.set(handle, CURLOPT_MAXREDIRS, 5L);
  curl.set(handle, CURLOPT_FAILONERROR, 1L);
  curl.set(handle, CURLOPT_NOSIGNAL, 1L);
  curl.set(handle, CURLOPT_CONNECTTIMEOUT, long{transfer.options.connect_seconds});
  curl.set(handle, CURLOPT_LOW_SPEED_LIMIT, 100L);
  curl.set(handle, CURLOPT_LOW_SPEED_TIME, long{transfer.options.stall_seconds});
  curl.set(handle, CURLOPT_WRITEFUNCTION, &on_data);
  curl.set(handle, CURLOPT_WRITEDATA, &transfer);
  curl.set(handle, CURLOPT_NOPROGRESS, 0L);
  curl.set(handle, CURLOPT_XFERINFOFUNCTION, &on_progress);
  curl.set(handle, CURLOPT_XFERINFODATA, &transfer);
  curl.set(handle, CURLOPT_ERRORBUFFER, reason);
  transfer.content.clear();
  const CURLcode code = curl.easy_perform(handle);
  if (transfer.show_progress) tell("\r{:30}\r", "");
  long status = 0;
  curl.easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  switch (code) {
    case CURLE_OK:
      return {};
    case CURLE_ABORTED_BY_CALLBACK:
      throw Cancelled("download", "stopped; nothing was written");
    case CURLE_HTTP_RETURNED_ERROR:
      return {fmt::format("HTTP {}", status), status >= 500};
    case CURLE_UNSUPPORTED_PROTOCOL:
      return {"redirects to an address that isn't https"};
    case CURLE_WRITE_ERROR:
      if (transfer.too_long) return {fmt::format("sends more than {} bytes", transfer.size)};
      break;
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_OPERATION_TIMEDOUT:
      return {reason[0] ? reason : curl.easy_strerror(code), status != 0};
    default:
      break;
  }
  return {reason[0] ? reason : curl.easy_strerror(code)};
}

Failure check(const Transfer& transfer, const std::string& sha256) {
  if (transfer.content.size() != transfer.size)
    return {fmt::format("sends {} bytes, expected {}", transfer.content.size(), transfer.size)};
  const std::string got = data::sha256(transfer.content);
  if (got != sha256) return {fmt::format("sends SHA-256 {}, expected {}", got, sha256)};
  return {};
}

void make_folder(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path();
  std::error_code code;
  if (!folder.empty()) std::filesystem::create_directories(folder, code);
  if (code)
    throw FileError("download",
                    fmt::format("can't make the folder {}: {}", folder.string(), code.message()));
}

}  // namespace

void download(const std::vector<std::string>& urls, const std::string& path, std::uint64_t size,
              const std::string& sha256, const DownloadOptions& options) {
  Transfer transfer{.options = options, .size = size, .content = {}};
  transfer.show_progress = ::isatty(STDERR_FILENO) == 1;
  std::vector<std::string> left = urls, failures;
  for (int round = 0; round < options.rounds && !left.empty(); ++round) {
    std::vector<std::string> again;
    for (const std::string& url : left) {
      if (options.cancelled && options.cancelled())
        throw Cancelled("download", "stopped; nothing was written");
      tell("downloading {} ({} bytes)\n", url, size);
      Failure failure = fetch(url, transfer);
      if (failure.why.empty()) failure = check(transfer, sha256);
      if (failure.why.empty()) {
        make_folder(path);
        write_file("download", path, transfer.content);
        return;
      }
      failures.push_back(fmt::format("{}: {}", url, failure.why));
      if (failure.again) again.push_back(url);
    }
    left = std::move(again);
  }
  throw Unreachable("download",
                    fmt::format("no mirror gave {} ({}); check the network, or put the file there "
                                "yourself",
                                path, fmt::join(failures, "; ")));
}

}  // namespace unroll::app
