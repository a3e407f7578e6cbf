#include "app/curl_library.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include "unroll/core/error.h"

namespace unroll::app {
namespace {

// The name that libcurl has had since 2006; what we call has not changed since.
constexpr const char* kName = "libcurl.so.4";

[[noreturn]] void refuse(const char* why) {
  throw Error("download", fmt::format("{} can't be loaded: {}; install libcurl, or put the file "
                                      "there yourself",
                                      kName, why ? why : "no reason given"));
}

template <class F>
F function(void* library, const char* name) {
  void* const found = ::dlsym(library, name);
  if (!found) refuse(::dlerror());
  return reinterpret_cast<F>(found);
}

CurlLibrary load() {
  void* const library = ::dlopen(kName, RTLD_NOW | RTLD_LOCAL);  // for as long as the process lives
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

const CurlLibrary& CurlLibrary::get() {
  static const CurlLibrary curl = load();
  return curl;
}

}  // namespace unroll::app
