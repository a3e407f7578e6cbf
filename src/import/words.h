// The words of an architecture file: what its keys and choices may be called.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "unroll/spec/layers.h"

namespace unroll::importer {

/// Throws FormatError: what is wrong with an architecture file.
[[noreturn]] void fail(const std::string& file, std::string_view why);

/// The JSON form of one layer.
nlohmann::ordered_json json_of(const spec::LayerSpec& layer);

/// An architecture file, a layer a line.
std::string text_of_file(const nlohmann::ordered_json& architecture);

/// What is wrong with the words of one layer, which has a type: the first that is not known, with
/// the known ones, or has a value of another kind than it takes; empty where all is well.
std::string misspelt_in_layer(const nlohmann::ordered_json& layer);

/// The same of what stands beside the layers, and in `input`, if that is an object.
std::string misspelt_beside_layers(const nlohmann::ordered_json& architecture);

}  // namespace unroll::importer
