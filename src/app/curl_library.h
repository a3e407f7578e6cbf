// libcurl, loaded when a download begins. Loading it and the libraries it needs would take most of
// the program's start.
#pragma once

#include <curl/curl.h>

namespace unroll::app {

/// The functions of libcurl that a download calls, under their own names.
class CurlLibrary {
 public:
  decltype(&::curl_easy_init) easy_init;
  decltype(&::curl_easy_cleanup) easy_cleanup;
  decltype(&::curl_easy_setopt) easy_setopt;
  decltype(&::curl_easy_perform) easy_perform;
  decltype(&::curl_easy_getinfo) easy_getinfo;
  decltype(&::curl_easy_strerror) easy_strerror;

  /// Loads and initialises it on the first call. Throws Error if it can't be loaded.
  static const CurlLibrary& get();

  /// Sets an option. Throws Error if libcurl refuses, because the download would go on without it.
  template <class Value>
  void set(CURL* handle, CURLoption option, Value value) const {
    check(option, easy_setopt(handle, option, value));
  }

  /// Allows http and https, but only https for redirects. Throws Error.
  void set_protocols(CURL* handle) const;

 private:
  void check(CURLoption option, CURLcode code) const;
};

}  // namespace unroll::app
