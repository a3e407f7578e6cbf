#include "app/json_line.h"

#include <nlohmann/json.hpp>

namespace unroll::app {

std::string json_line(const nlohmann::ordered_json& object) {
  return object.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace unroll::app
