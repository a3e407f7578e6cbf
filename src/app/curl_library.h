// libcurl, loaded when something is downloaded: with the libraries that it needs in turn it would
// take most of the time that the program needs to start.
#pragma once

#include <curl/curl.h>

namespace unroll::app {

/// The functions of libcurl that a download calls, under their names.
class CurlLibrary {
 public:
  decltype(&::curl_easy_init) easy_init;
  decltype(&::curl_easy_cleanup) easy_cleanup;
  decltype(&::curl_easy_setopt) easy_setopt;
  decltype(&::curl_easy_perform) easy_perform;
  decltype(&::curl_easy_getinfo) easy_getinfo;
  decltype(&::curl_easy_strerror) easy_strerror;

  /// Loads and initialises it the first time. Throws Error saying what is missing.
  static const CurlLibrary& get();

  /// Sets an option. Throws Error where libcurl refuses: a download without one of its options
  /// would not be the one that was meant.
  template <class Value>
  void set(CURL* handle, CURLoption option, Value value) const {
    check(option, easy_setopt(handle, option, value));
  }

  /// http and https, and https alone for what is redirected to. Throws Error.
  void set_protocols(CURL* handle) const;

 private:
  void check(CURLoption option, CURLcode code) const;
};

}  // namespace unroll::app
