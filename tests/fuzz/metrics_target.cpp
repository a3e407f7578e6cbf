// metrics.jsonl: what is read of the inside of a model can be written and read again.
#include <nlohmann/json.hpp>
#include <string>

#include "run/inside_json.h"
#include "run/metrics_log.h"
#include "target.h"

namespace unroll::fuzz {

void metrics(Bytes bytes) {
  run::MetricsLog log;
  if (!accepts([&] { log = run::read_metrics_log(text_of(bytes), "metrics.jsonl"); })) return;
  for (const run::MetricsLog::Test& test : log.tests) {
    if (!test.inside) continue;
    const std::string text = run::to_json(*test.inside);
    const train::Inside again = run::inside_from(nlohmann::ordered_json::parse(text));
    require(run::to_json(again) == text, "an inside that was written and read again is the same");
  }
}

}  // namespace unroll::fuzz
