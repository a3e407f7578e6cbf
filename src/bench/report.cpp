#include "bench/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/numerics.h"

namespace unroll::bench {
namespace {

constexpr double kSample = 1.0 / 48'000;  // duration of an audio sample, in seconds

/// Figures computed from a time and the machine's limits.
struct Figures {
  double mflop, gflops, share_of_peak, ceiling;
  std::optional<double> share_of_l2;  // for single steps whose weights do not fit into L1
};

Figures figures_of(const Report& r, const Measured& m) {
  const Workload& w = m.workload;
  const double flops = useful_flops(w), gflops = 1e-9 * flops / m.timing.best;
  const std::int64_t columns = w.model == train::ModelKind::cnn ? w.steps * w.input : w.hidden;
  Figures f{1e-6 * flops, gflops,
            gflops / (m.threads == 1 ? r.peak_gflops_core : r.peak_gflops_all),
            padding_ceiling(static_cast<std::size_t>(columns), r.lanes), std::nullopt};
  if (w.kind == Kind::step && weight_bytes(w) > static_cast<double>(r.l1_bytes))
    f.share_of_l2 = 1e-9 * weight_bytes(w) / m.timing.best / r.l2_gb_per_s;
  return f;
}

std::string text_of_time(double seconds) {
  return seconds < 1e-6   ? fmt::format("{:.1f} ns", 1e9 * seconds)
         : seconds < 1e-4 ? fmt::format("{:.3f} us", 1e6 * seconds)
                          : fmt::format("{:.3f} ms", 1e3 * seconds);
}

std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

/// Rounded to five digits: the others are noise.
double rounded(double value) { return std::stod(fmt::format("{:.5g}", value)); }

bool is_step(const Measured& m) { return m.workload.kind == Kind::step; }

std::string table_of_passes(const Report& r) {
  std::string text =
      fmt::format("{:<50} {:>7} {:>11} {:>11} {:>6} {:>8} {:>8} {:>8}\n", "workload", "threads",
                  "best", "median", "runs", "GFLOP/s", "of peak", "ceiling");
  for (const Measured& m : r.workloads) {
    if (is_step(m)) continue;
    const Figures f = figures_of(r, m);
    text +=
        fmt::format("{:<50} {:>7} {:>11} {:>11} {:>6} {:>8.1f} {:>8} {:>8}\n", name_of(m.workload),
                    m.threads, text_of_time(m.timing.best), text_of_time(m.timing.median),
                    m.timing.runs, f.gflops, percent(f.share_of_peak), percent(f.ceiling));
  }
  return text +
         "\nGFLOP/s: useful arithmetic in the best time.\n"
         "of peak: share of the peak of the same number of threads.\n"
         "ceiling: share of peak that padding to whole vectors allows.\n";
}

std::string table_of_steps(const Report& r) {
  std::string text = fmt::format("{:<50} {:>11} {:>11} {:>11} {:>8} {:>8} {:>8}\n", "single steps",
                                 "best", "median", "99.9 %", "GFLOP/s", "of L2", "48 kHz");
  for (const Measured& m : r.workloads) {
    if (!is_step(m)) continue;
    const Figures f = figures_of(r, m);
    text += fmt::format(
        "{:<50} {:>11} {:>11} {:>11} {:>8.1f} {:>8} {:>8}\n", name_of(m.workload),
        text_of_time(m.timing.best), text_of_time(m.timing.median), text_of_time(m.timing.p999),
        f.gflops, f.share_of_l2 ? percent(*f.share_of_l2) : "", percent(m.timing.p999 / kSample));
  }
  return text +
         "\n99.9 %: steps timed one by one, with reading the clock: 99.9 % of them take no "
         "longer.\n"
         "of L2: rate of reading weights, as share of one core's L2 rate; if L1 can't hold them.\n"
         "48 kHz: the 99.9 % time, as share of the 20.8 us of an audio sample.\n";
}

}  // namespace

std::string to_text(const Report& r) {
  std::string text =
      fmt::format("CPU               {}\ninstruction set   {}\nthreads           {}\n", r.cpu,
                  r.isa, r.threads);
  text += fmt::format("FMA peak, f32     {:.1f} GFLOP/s on one thread", r.peak_gflops_core);
  if (r.threads > 1) text += fmt::format(", {:.1f} on {}", r.peak_gflops_all, r.threads);
  text += fmt::format("\nL2 cache          {:.1f} GB/s read by one core\n", r.l2_gb_per_s);
  const auto steps = std::ranges::count_if(r.workloads, is_step);
  if (steps < std::ssize(r.workloads)) text += "\n" + table_of_passes(r);
  if (steps > 0) text += "\n" + table_of_steps(r);
  return text;
}

std::string to_json(const Report& r, const std::string& version) {
  nlohmann::ordered_json json = {
      {"version", version},
      {"revision", numerics::revision},
      {"cpu", r.cpu},
      {"isa", r.isa},
      {"threads", r.threads},
      {"peak_gflops_core", rounded(r.peak_gflops_core)},
      {"peak_gflops_all", rounded(r.peak_gflops_all)},
      {"l2_gb_per_s", rounded(r.l2_gb_per_s)},
      {"workloads", nlohmann::ordered_json::array()},
  };
  for (const Measured& m : r.workloads) {
    const Figures f = figures_of(r, m);
    auto& entry = json["workloads"].emplace_back(nlohmann::ordered_json{
        {"name", name_of(m.workload)},
        {"threads", m.threads},
        {"best_ms", rounded(1e3 * m.timing.best)},
        {"median_ms", rounded(1e3 * m.timing.median)},
        {"runs", m.timing.runs},
        {"mflop", rounded(f.mflop)},
        {"gflops", rounded(f.gflops)},
        {"share_of_peak", rounded(f.share_of_peak)},
        {"ceiling", rounded(f.ceiling)},
    });
    if (is_step(m)) {
      entry["p999_ms"] = rounded(1e3 * m.timing.p999);
      entry["share_of_sample_48khz"] = rounded(m.timing.p999 / kSample);
    }
    if (f.share_of_l2) entry["share_of_l2"] = rounded(*f.share_of_l2);
  }
  return json.dump();
}

}  // namespace unroll::bench
