// A model in training and the same model compiled for running.
#pragma once

#include <vector>

#include "nn/model_file.h"
#include "train/network.h"
#include "unroll/infer/model.h"

namespace unroll::test {

template <class T>
struct Both {
  Generator generator{11};
  spec::ModelSpec spec;
  train::Network module;
  infer::Model<T> model;

  explicit Both(const spec::ModelSpec& s)
      : spec(s),
        module(s, generator, {.dtype = DTypeOf<T>::value}),
        model(s, nn::views_of(randomised(module))) {
    module.eval();
  }

  std::vector<T> run(std::span<const T> input, std::size_t batch, std::size_t steps,
                     std::span<const std::size_t> lengths = {}) const {
    const bool every_step = spec::features_of(spec).back().kind == spec::Features::Kind::sequence;
    std::vector<T> out(batch * (every_step ? steps : 1) * model.outputs());
    model.run(input, batch, steps, out, lengths);
    return out;
  }

 private:
  /// What starts as ones or zeros (norms, initial states) gets other numbers.
  Parameters randomised(train::Network& m) {
    const Parameters parameters = m.parameters();
    for (const auto& p : parameters) {
      const auto values = p.value.template values<T>();
      if (values[0] == values[values.size() - 1]) generator.uniform(values, -0.5, 0.9);
    }
    return parameters;
  }
};

}  // namespace unroll::test
