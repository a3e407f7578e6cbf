#include "app/curl_library.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include "unroll/core/error.h"

namespace unroll::app {
namespace {

// libcurl has had this name since 2006, and the functions used here have not changed since.
constexpr const char* kName = "libcurl.so.4";

[[noreturn]] void refuse(const char* why) {
  throw Error("download", fmt::format("{} can't be loaded: {}; install libcurl, or fetch the file "
                                      "yourself",
                                      kName, why ? why : "no reason given"));
}

template <class F>
F function(void* library, const char* name) {
  void* const found = ::dlsym(library, name);
  if (!found) refuse(::dlerror());
  return reinterpret_cast<F>(found);
}

CurlLibrary load() {
  void* const library = ::dlopen(kName, RTLD_NOW | RTLD_LOCAL);  // never closed
  if (!library) refuse(::dlerror());
  function<decltype(&::curl_global_init)>(library, "curl_global_init")(CURL_GLOBAL_DEFAULT);
  CurlLibrary curl{};
  curl.easy_init = function<decltype(curl.easy_init)>(library, "curl_easy_init");
  curl.easy_cleanup = function<decltype(curl.easy_cleanup)>(library, "curl_easy_cleanup");
  curl.easy_setopt = function<decltype(curl.easy_setopt)>(library, "curl_easy_setopt");
  curl.easy_perform = function<decltype(curl.easy_perform)>(library, "curl_easy_perform");
  curl.easy_getinfo = function<decltype(curl.easy_getinfo)>(library, "curl_easy_getinfo");
  curl.easy_strerror = function<decltype(curl.easy_strerror)>(library, "curl_easy_strerror");
  return curl;
}

}  // namespace

void CurlLibrary::check(CURLoption option, CURLcode code) const {
  if (code != CURLE_OK)
    throw Error("download", fmt::format("{} refuses option {} of curl_easy_setopt: {}; update "
                                        "libcurl, or fetch the file yourself",
                                        kName, static_cast<int>(option), easy_strerror(code)));
}

void CurlLibrary::set_protocols(CURL* handle) const {
  // Since libcurl 7.85 protocols have names; before they were bits, now deprecated. The options are
  // numbers here so that old and new headers compile.
  constexpr auto by_name = static_cast<CURLoption>(10318),
                 to_by_name = static_cast<CURLoption>(10319),
                 by_bits = static_cast<CURLoption>(181), to_by_bits = static_cast<CURLoption>(182);
  constexpr long http = 1, https = 2;
  const CURLcode code = easy_setopt(handle, by_name, "http,https");
  if (code == CURLE_UNKNOWN_OPTION) {
    set(handle, by_bits, http | https);
    set(handle, to_by_bits, https);
    return;
  }
  check(by_name, code);
  set(handle, to_by_name, "https");
}

const CurlLibrary& CurlLibrary::get() {
  static const CurlLibrary curl = load();
  return curl;
}

}  // namespace unroll::app
