// unroll predict on an array of numbers or tokens.
#pragma once

#include <string>

#include "app/model_source.h"

namespace unroll::app {

/// Runs the model on a .npy, as run_array() reads it, or on a text file (`is_text`), and writes the
/// outputs to the .npy file `out`. In a text file each row has the numbers of a step, or of one
/// input of a model that reads no sequences. Of tokens all are the steps of one sequence, however
/// many stand in a row. Throws what run_array() throws; FileError; FormatError.
void predict_array(const LoadedModel& loaded, const std::string& file, bool is_text,
                   const std::string& out);

}  // namespace unroll::app
