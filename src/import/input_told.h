// The input of an imported model.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace unroll::importer {

/// The "input" of an architecture file is the one of this version of the description's format.
inline constexpr int input_version = 3;

/// Returns the "input" of the description: how an image or a row of numbers becomes the input of
/// the first layer. `layers` must be complete. The architecture's own "input" takes precedence. A
/// model without one reads numbers as they are. Throws FormatError, which names the file.
nlohmann::ordered_json input_told(const nlohmann::ordered_json& architecture,
                                  const nlohmann::ordered_json& layers, const std::string& file);

}  // namespace unroll::importer
