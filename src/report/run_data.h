// One run as the data of its page.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "report/run_record.h"

namespace unroll::report {

/// The most bytes of base64 that the weights may have, so that the page stays small enough to mail.
inline constexpr std::size_t most_network = 1'500'000;

/// All of a run that its page shows (docs/report.md has the keys). `model` is model_of(run). The
/// `notes` say what is missing and why; samples that can't be read add one.
nlohmann::ordered_json data_of(const RunRecord& run, const std::optional<TrainedModel>& model,
                               std::vector<std::string> notes = {});

/// The data of a page of several runs: without samples, weights and looks inside. A model that
/// can't be read is a note.
nlohmann::ordered_json data_of(const std::vector<RunRecord>& runs);

}  // namespace unroll::report
