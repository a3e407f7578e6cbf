#include "app/predict_array.h"

#include <optional>
#include <vector>

#include "app/array_run.h"
#include "app/number_rows.h"
#include "unroll/io/npy.h"

namespace unroll::app {
namespace {

io::NpyArray array_of_text(const std::string& path, const spec::Features& input) {
  const bool tokens = input.kind == spec::Features::Kind::tokens;
  std::istringstream text = open_number_text(path);
  NumberRows<double> rows(text, "in " + path, tokens ? std::nullopt : std::optional(input.size()));
  io::NpyArray array{io::ElementType::f64, {}, {}};
  for (std::vector<double> row; rows.next(row);) {
    const auto bytes = std::as_bytes(std::span(row));
    array.data.insert(array.data.end(), bytes.begin(), bytes.end());
  }
  if (tokens)
    array.shape = {static_cast<std::int64_t>(array.data.size() / sizeof(double))};
  else
    array.shape = {rows.count(), input.size()};
  return array;
}

}  // namespace

void predict_array(const LoadedModel& loaded, const std::string& file, bool is_text,
                   const std::string& out) {
  loaded.run([&]<class T>(const infer::Model<T>& model) {
    const io::NpyArray input =
        is_text ? array_of_text(file, spec::features_of(loaded.spec.input)) : io::read_npy(file);
    const Outputs<T> outputs = run_array(model, input);
    io::write_npy(out, outputs.shape, std::span<const T>(outputs.values));
  });
}

}  // namespace unroll::app
