// unroll signature: checks that this machine computes the same bits as every other.
#include <fmt/format.h>

#include <cstdio>

#include "app/commands.h"
#include "app/usage_error.h"
#include "core/numerics.h"
#include "kernels/table.h"
#include "signature/signature.h"
#include "unroll/core/threads.h"

namespace unroll::app {
namespace {

struct SignatureFlags {
  int threads = 0;
  std::int64_t rows_at_once = 0;
  bool json = false;
};

int work(const SignatureFlags& flags) {
  if (flags.rows_at_once < 0)
    throw UsageError(fmt::format("--rows-at-once {}, expected 0 or more rows", flags.rows_at_once));
  const auto rows = static_cast<std::size_t>(flags.rows_at_once);
  set_num_threads(flags.threads);
  std::vector<signature::Result> results;
  std::string differences;
  for (const std::string_view model : signature::models()) {
    const signature::Result& r = results.emplace_back(signature::train(model, rows));
    const std::string difference = signature::difference(r);
    if (!difference.empty())
      differences += fmt::format("{} {}: {}", differences.empty() ? "" : ";", model, difference);
    if (flags.json) continue;
    fmt::print("{:<22} {}  loss {:.4f} to {:.4f}{}\n", model, signature::to_text(r.hash),
               r.first_loss, r.last_loss, difference.empty() ? "" : "  DIFFERS");
    std::fflush(stdout);
  }
  if (flags.json)
    fmt::print("{}\n", signature::to_json(results));
  else
    fmt::print("{:<22} {}  {}, {}\n", "all", signature::to_text(signature::combined(results)),
               kernels::instruction_set(),
               differences.empty() ? fmt::format("as expected for revision {}", numerics::revision)
                                   : "DIFFERS");
  if (differences.empty()) return kOk;
  throw Error("signature", fmt::format("not the bits that revision {} of the numerics promises:{}",
                                       numerics::revision, differences));
}

}  // namespace

void add_signature(Command& program) {
  Command command = program.add(
      "signature", "Train small models and check that this machine computes the promised bits",
      "unroll signature");
  const auto flags = std::make_shared<SignatureFlags>();
  command.option("--threads", flags->threads, kThreadsHelp);
  command.option("--rows-at-once", flags->rows_at_once,
                 "Walk each batch in parts of at most so many rows. Default: all rows");
  command.flag("--json", flags->json, "Print one line of JSON");
  command.set_work([flags] { return work(*flags); });
}

}  // namespace unroll::app
