// Weights of another model, with which training begins (Config::init_from).
#pragma once

#include <string>
#include <vector>

#include "unroll/autograd/parameter.h"
#include "unroll/spec/model_spec.h"

namespace unroll::train {

struct InitialWeights {
  spec::ModelSpec spec;
  Parameters weights;
  std::string name;  // its file, for messages
};

/// Copies the weights with equal names and shapes to the parameters of the model `spec`. Returns
/// the names of the parameters that keep their values: those of layers that the other model lacks,
/// and of a last layer of another size. Throws ValueError if another layer of the same name
/// differs, or if no weight was copied.
std::vector<std::string> begin_with(const InitialWeights& from, const spec::ModelSpec& spec,
                                    const Parameters& parameters);

}  // namespace unroll::train
