// The data that a model's run was trained on.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "app/data_flags.h"
#include "app/model_source.h"
#include "report/run_record.h"

namespace unroll::app {

/// Opens the data of the run in whose folder the model is, with its parts. `by`: as
/// SourceOptions::by. Throws UsageError if the model is in no folder of a run, FormatError if the
/// data is no longer the same.
std::shared_ptr<const data::Source> data_of_run(const LoadedModel& model, const DataFlags& data,
                                                const std::string& by = {});

/// The run in whose folder the model is; nothing if it is in none.
std::optional<report::RunRecord> run_of(const LoadedModel& model);

}  // namespace unroll::app
