// export/base64.h by Python's binascii: the program uses OpenSSL, which a wheel would have to
// bring.
#include "export/base64.h"

#include <nanobind/nanobind.h>

#include <bit>
#include <cstdint>

namespace unroll::exporter {

std::string base64(std::span<const std::byte> bytes) {
  namespace nb = nanobind;
  const nb::gil_scoped_acquire locked;
  const nb::bytes text(
      nb::module_::import_("binascii")
          .attr("b2a_base64")(nb::bytes(bytes.data(), bytes.size()), nb::arg("newline") = false));
  return {text.c_str(), text.size()};
}

std::string base64(std::span<const float> values) {
  static_assert(std::endian::native == std::endian::little);
  return base64(std::as_bytes(values));
}

}  // namespace unroll::exporter
