// Makes state_dicts for tests, and imports them.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "import/architecture.h"
#include "import/import_model.h"
#include "import/state_dict.h"
#include "support/expect_error.h"
#include "support/expect_parts.h"
#include "unroll/core/error.h"
#include "unroll/spec/model_spec.h"

namespace unroll::importer {

using Shape = std::vector<std::int64_t>;

using test::expect_parts;

/// Tensors with these names and shapes, in f32. Element k of each is k.
inline StateDict state_of(const std::vector<std::pair<std::string, Shape>>& tensors) {
  StateDict state;
  for (const auto& [name, shape] : tensors) {
    std::size_t count = 1;
    for (const std::int64_t size : shape) count *= static_cast<std::size_t>(size);
    auto& memory = state.memory.emplace_back(4 * count);
    for (std::size_t k = 0; k < count; ++k) {
      const auto value = static_cast<float>(k);
      std::memcpy(memory.data() + 4 * k, &value, 4);
    }
    state.arrays.push_back({name, io::ElementType::f32, shape, memory});
  }
  return state;
}

/// Appends a tensor with these numbers.
inline void add(StateDict& state, const std::string& name, const Shape& shape,
                const std::vector<float>& values) {
  auto& memory = state.memory.emplace_back(4 * values.size());
  std::memcpy(memory.data(), values.data(), memory.size());
  state.arrays.push_back({name, io::ElementType::f32, shape, memory});
}

/// The weights of a description under other names.
inline StateDict with_weights_of(const spec::ModelSpec& spec, const std::string& prefix = "") {
  std::vector<std::pair<std::string, Shape>> tensors;
  for (const auto& [name, shape] : spec::weights_of(spec))
    tensors.emplace_back(prefix + name, shape);
  return state_of(tensors);
}

/// The error of an import that is refused. It must be one line.
inline std::string refusal(const StateDict& state, std::optional<std::string> architecture = {}) {
  return test::error_of<FormatError>([&] { import_model(state, architecture); });
}

/// The question of an import, with the proposed architecture file.
inline std::string question(const StateDict& state, std::optional<std::string> architecture = {}) {
  try {
    import_model(state, architecture);
  } catch (const OpenQuestions& open) {
    return std::string(open.what()) + "\n" + open.architecture();
  }
  ADD_FAILURE() << "nothing was asked";
  return {};
}

}  // namespace unroll::importer
