// The signature's computation alone: for processors that this machine can only emulate.
#include <cstdio>
#include <exception>

#include "signature/signature.h"

int main() {
  try {
    std::vector<unroll::signature::Result> results;
    for (const auto model : unroll::signature::models())
      results.push_back(unroll::signature::train(model));
    std::printf("%s\n", unroll::signature::to_json(results).c_str());
    int differences = 0;
    for (const auto& r : results) {
      const std::string difference = unroll::signature::difference(r);
      if (difference.empty()) continue;
      std::fprintf(stderr, "%.*s: %s\n", static_cast<int>(r.model.size()), r.model.data(),
                   difference.c_str());
      ++differences;
    }
    return differences == 0 ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
