#include "support/real_mnist.h"

#include <cstdlib>
#include <filesystem>

#include "data/places.h"

namespace unroll::test {

std::optional<std::string> real_mnist_folder() {
  const char* named = std::getenv("UNROLL_DATA_DIR");
  for (const std::string& folder :
       {std::string(named ? named : ""), std::string(UNROLL_SOURCE_DIR "/../shared/data")})
    if (!folder.empty() && data::find_set_file(folder + "/mnist", "train-images-idx3-ubyte"))
      return std::filesystem::absolute(folder).lexically_normal();
  return std::nullopt;
}

}  // namespace unroll::test
