// Testing a trained model.
#pragma once

#include <string_view>
#include <vector>

#include "data/source.h"
#include "train/evaluation.h"
#include "unroll/infer/model.h"

namespace unroll::train {

/// Throws ShapeError where the model does not read what the source gives, or answers otherwise.
void check_fits(std::string_view operation, const spec::ModelSpec& spec,
                const data::Source& source);

/// The model's outputs for a batch: (N, C), or (N, T, C) of a model that answers every step.
template <class T>
Tensor outputs_of(const infer::Model<T>& model, const data::Examples& examples);

/// Tests the model on a part of the source. `outputs` receives the model's outputs, (count, C),
/// where it is not null. Throws ShapeError where the model and the source don't fit.
template <class T>
Evaluation evaluate(const infer::Model<T>& model, const data::Source& source,
                    data::Split part = data::Split::test, std::vector<T>* outputs = nullptr);

}  // namespace unroll::train
