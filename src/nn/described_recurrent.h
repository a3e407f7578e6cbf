// The recurrent layer of a description, whatever its cell.
#pragma once

#include "unroll/nn/recurrent.h"

namespace unroll::nn {

/// What a description leaves open: how a layer is trained.
struct TrainingOptions {
  double dropout = 0;                           // between the layers
  RecurrentRegularisation regularisation = {};  // without what the description says
  double forget_bias = 0;                       // of a cell with a forget gate
  DType dtype = DType::f32;
  Precision precision = Precision::full;
  Generator* generator = nullptr;
};

/// A layer of any cell of the table in spec/cells.h. It reads (N, T, I), as with batch_first.
class DescribedRecurrent : public Recurrent {
 public:
  DescribedRecurrent(const Child& place, const spec::RecurrentSpec& spec,
                     const TrainingOptions& options)
      : Recurrent(place, kind_of(spec, options), options_of(spec, options)) {}

  using Result = Recurrent::Result;
  Result operator()(const Tensor& input, const State& initial = {},
                    const RecurrentCall& call = {}) const {
    return run(input, initial.h, initial.c, call);
  }

 private:
  static Kind kind_of(const spec::RecurrentSpec& spec, const TrainingOptions& options);
  static RecurrentOptions options_of(const spec::RecurrentSpec& spec,
                                     const TrainingOptions& options);
};

}  // namespace unroll::nn
