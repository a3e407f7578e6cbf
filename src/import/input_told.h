// What goes into an imported model.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace unroll::importer {

/// The version of a description's format whose "input" an architecture file has.
inline constexpr int input_version = 3;

/// How an image, or a row of numbers, becomes the input of the first of `layers`, which are
/// complete; what the architecture says of it counts. A model without a stated input reads numbers
/// as they are. Throws FormatError naming the file.
nlohmann::ordered_json input_told(const nlohmann::ordered_json& architecture,
                                  const nlohmann::ordered_json& layers, const std::string& file);

}  // namespace unroll::importer
