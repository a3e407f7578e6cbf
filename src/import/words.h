// The words of an architecture file: its keys, and the choices of their values.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "unroll/spec/layers.h"

namespace unroll::importer {

/// Throws FormatError: names the architecture file and its fault.
[[noreturn]] void fail(const std::string& file, std::string_view why);

/// The JSON form of one layer.
nlohmann::ordered_json json_of(const spec::LayerSpec& layer);

/// The text of an architecture file, with one line for each layer.
std::string text_of_file(const nlohmann::ordered_json& architecture);

/// The first wrong word of one layer, which must have a type: an unknown key, with a list of the
/// known ones, or a value of the wrong kind. Empty if all words are right.
std::string misspelt_in_layer(const nlohmann::ordered_json& layer);

/// The same check for the keys beside "layers", and for those in "input" if that is an object.
std::string misspelt_beside_layers(const nlohmann::ordered_json& architecture);

}  // namespace unroll::importer
