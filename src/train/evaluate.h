// Tests a trained model.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "data/source.h"
#include "train/config.h"
#include "train/evaluation.h"
#include "unroll/infer/model.h"

namespace unroll::train {

/// Throws ShapeError if the model's input or output does not fit the source.
void check_fits(std::string_view operation, const spec::ModelSpec& spec,
                const data::Source& source);

/// The model's outputs for a batch: (N, C), or (N, T, C) if the model answers every step.
template <class T>
Tensor outputs_of(const infer::Model<T>& model, const data::Examples& examples);

/// Tests the model on a part of the source. If `outputs` is not null, it receives the model's
/// outputs, (count, C). `of_values` is the loss of numbers. Throws ShapeError if the model does not
/// fit the source.
template <class T>
Evaluation evaluate(const infer::Model<T>& model, const data::Source& source,
                    data::Split part = data::Split::test, std::vector<T>* outputs = nullptr,
                    ValueLoss of_values = ValueLoss::mse);

/// Tests the model on some samples of a part, in ascending order. Throws as above.
template <class T>
Evaluation evaluate_samples(const infer::Model<T>& model, const data::Source& source,
                            data::Split part, std::span<const std::int64_t> samples,
                            ValueLoss of_values = ValueLoss::mse);

}  // namespace unroll::train
