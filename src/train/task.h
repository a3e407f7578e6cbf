// The tasks of unroll/data/sequence_tasks.h by name: what a model for them is, and testing it.
#pragma once

#include <cstdint>

#include "train/config.h"
#include "train/evaluate.h"
#include "unroll/data/sequence_tasks.h"
#include "unroll/infer/model.h"
#include "unroll/spec/model_spec.h"

namespace unroll::train {

data::SequenceBatch make_batch(Task task, const data::SequenceTask& which, std::int64_t first,
                               std::int64_t count);

/// What goes into a model for the task, T steps of I, and what comes out of it.
spec::SeriesInput input_of(Task task, std::int64_t length);
std::int64_t outputs_of(Task task);

std::string_view name_of_loss(Task task);  // "mean squared error", "cross-entropy"

/// An answer to the adding problem is correct within this (Hochreiter, Schmidhuber 1997).
inline constexpr double adding_tolerance = 0.04;

inline constexpr std::int64_t test_sequences = 1000;

/// Tests on the first of seed 0's test list, whatever seed the model was trained with. The loss is
/// the mean squared error of adding, the cross-entropy of copy; what is counted are the sequences
/// of adding, the symbols to be recalled of copy. Throws ShapeError for a model that is not for its
/// description's task and length.
template <class T>
Evaluation evaluate_task(const infer::Model<T>& model, Task task);

}  // namespace unroll::train
