// Several runs beside each other: the settings that differ, and results over seeds.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "report/run_record.h"

namespace unroll::report {

/// {"keys": ["lr", ...], "rows": [["0.1", ...], ...]}: the settings that differ between the runs,
/// with a row for each run. A setting that a run does not have, or that has no effect in it, is
/// empty; a setting with its default in all other runs is left out. Settings that change no bit of
/// a result are left out. Other data of the same name differs, too.
nlohmann::ordered_json differences(const std::vector<RunRecord>& runs);

/// [{"name": "mnist-rnn-tuned-lr0.1", "runs": [0, 1], "metrics": [...]}]: runs that differ by the
/// seed alone are a group. A metric has its `values`, with null for a run that did not finish,
/// their `mean`, and their standard `deviation`; null with fewer than one or two values.
nlohmann::ordered_json groups(const std::vector<RunRecord>& runs);

}  // namespace unroll::report
