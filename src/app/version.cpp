#include "app/version.h"

#include <curl/curlver.h>
#include <fmt/format.h>
#include <hwy/highway.h>
#include <libdeflate.h>
#include <openssl/crypto.h>
#include <zip.h>
#include <zlib.h>

#include <CLI/Version.hpp>
#include <nlohmann/json.hpp>
#include <protozero/version.hpp>

#include "commit.h"
#include "core/numerics.h"
#include "kernels/table.h"

namespace unroll::app {
namespace {

#ifdef __clang__
constexpr const char* kCompiler = "clang++ " __clang_version__;
#else
constexpr const char* kCompiler = "g++ " __VERSION__;
#endif

}  // namespace

std::string version_text() {
  const std::string commit = UNROLL_COMMIT;
  // CLI11, nlohmann-json, protozero and libcurl: the headers at compile time. Others: the library
  // in use now.
  return fmt::format(
      "unroll {}\n"
      "commit            {}\n"
      "compiler          {}\n"
      "numerics revision {}\n"
      "instruction sets  {}\n"
      "libraries         Highway {}.{}.{}, fmt {}.{}.{}, nlohmann-json {}.{}.{}, CLI11 {},\n"
      "                  {}, zlib {}, libdeflate {}, libzip {}, protozero {},\n"
      "                  libcurl {} (loaded when needed)",
      UNROLL_VERSION, commit.empty() ? "unknown, not built from a checkout" : commit, kCompiler,
      numerics::revision, fmt::join(kernels::instruction_sets(), ", "), HWY_MAJOR, HWY_MINOR,
      HWY_PATCH, FMT_VERSION / 10000, FMT_VERSION / 100 % 100, FMT_VERSION % 100,
      NLOHMANN_JSON_VERSION_MAJOR, NLOHMANN_JSON_VERSION_MINOR, NLOHMANN_JSON_VERSION_PATCH,
      CLI11_VERSION, ::OpenSSL_version(OPENSSL_VERSION), ::zlibVersion(), LIBDEFLATE_VERSION_STRING,
      ::zip_libzip_version(), PROTOZERO_VERSION_STRING, LIBCURL_VERSION);
}

}  // namespace unroll::app
