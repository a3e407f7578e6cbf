// Random numbers, which must be PyTorch's to the bit.

#include <cmath>
#include <cstdint>
#include <set>
#include <span>

#include "data/order.h"
#include "golden/golden_case.h"
#include "support/any_recurrent.h"
#include "unroll/core/random.h"

namespace unroll::golden {
namespace {

std::size_t count_of(const io::ArrayView& array) {
  return array.data.size() / io::size_of(array.type);
}

/// Draws what one file holds, and remembers which tensors it has compared.
class RngCheck {
 public:
  explicit RngCheck(const GoldenCase& c)
      : case_(c), seed_(c.description.at("seed").get<std::uint64_t>()) {}

  // nn.Linear: weight, then bias. The bounds are written as torch computes them (kaiming_uniform_
  // with a = sqrt(5)), since another order of operations may round differently.
  void linear(const std::string& prefix) {
    Generator generator(seed_, Rng::torch);
    const auto fan_in = static_cast<double>(case_.tensor(prefix + "weight").shape.at(1));
    const double a = std::sqrt(5.0);
    const double std = std::sqrt(2.0 / (1 + a * a)) / std::sqrt(fan_in);
    uniform(generator, case_.tensor(prefix + "weight"), std::sqrt(3.0) * std);
    uniform(generator, case_.tensor(prefix + "bias"), 1 / std::sqrt(fan_in));
  }

  // A whole layer made right after the seeding.
  void recurrent(const std::string& prefix) {
    Generator generator(seed_, Rng::torch);
    const auto layers = [&](const char* suffix) {
      std::int64_t count = 0;
      while (case_.file.find(prefix + "weight_hh_l" + std::to_string(count) + suffix)) ++count;
      return count;
    };
    const std::string kind = prefix.substr(std::string("init.").size());
    const auto rnn = test::make_recurrent(
        test::recurrent_kind_of(kind.starts_with("rnn") ? "rnn_tanh"
                                                        : kind.substr(0, kind.find('_'))),
        case_.tensor(prefix + "weight_ih_l0").shape.at(1),
        case_.tensor(prefix + "weight_hh_l0").shape.at(1),
        {.num_layers = layers(""),
         .bidirectional = layers("_reverse") > 0,
         .generator = &generator});
    for (const Parameter& p : rnn->layer().parameters()) {
      const auto values = p.value.values<float>();
      same_bits(std::vector<float>(values.begin(), values.end()), case_.tensor(prefix + p.name));
    }
  }

  // The loader's orders after a model was made: RNN(28, 100), then Linear(100, 10).
  void tutorial_order() {
    Generator generator(seed_, Rng::torch);
    std::vector<float> parameters(100 * 28 + 100 * 100 + 100 + 100 + 10 * 100 + 10);
    generator.uniform(parameters, 0, 1);
    for (int epoch = 0;; ++epoch) {
      const auto* expected = case_.file.find("tutorial_order.epoch" + std::to_string(epoch));
      if (!expected) return;
      const auto n = static_cast<std::int64_t>(count_of(*expected));
      const auto order = data::shuffled_order(generator, n);
      same_bits(std::vector<std::int32_t>(order.begin(), order.end()), *expected);
    }
  }

  // A tensor drawn by one call right after the seeding.
  void draw(const io::ArrayView& expected) {
    Generator generator(seed_, Rng::torch);
    const std::string& name = expected.name;
    const std::size_t count = count_of(expected);
    if (name.starts_with("randperm_")) {
      same_bits(generator.permutation(static_cast<std::int64_t>(count)), expected);
    } else if (name.starts_with("randn_f32_")) {
      std::vector<float> x(count);
      generator.normal(x, 0, 1);
      same_bits(x, expected);
    } else if (name == "rand_f32" || name == "uniform_f32") {
      std::vector<float> x(count);
      generator.uniform(x, name == "rand_f32" ? 0 : -0.1, name == "rand_f32" ? 1 : 0.1);
      same_bits(x, expected);
    } else if (name == "rand_f64") {
      std::vector<double> x(count);
      generator.uniform(x, 0, 1);
      same_bits(x, expected);
    } else if (name == "random_i64") {
      std::vector<std::int64_t> x(count);
      for (auto& value : x) value = generator.random_i64();
      same_bits(x, expected);
    }
  }

  void expect_all_compared() const {
    for (const io::ArrayView& array : case_.file.arrays())
      EXPECT_TRUE(compared_.contains(array.name)) << "nothing here draws " << array.name;
  }

 private:
  void uniform(Generator& generator, const io::ArrayView& expected, double bound) {
    std::vector<float> x(count_of(expected));
    generator.uniform(x, -bound, bound);
    same_bits(x, expected);
  }

  template <typename T>
  void same_bits(const std::vector<T>& got, const io::ArrayView& expected) {
    EXPECT_TRUE(test::has_bits_of(std::as_bytes(std::span(got)), expected));
    compared_.insert(expected.name);
  }

  const GoldenCase& case_;
  std::uint64_t seed_;
  std::set<std::string> compared_;
};

}  // namespace

Outcome run_rng_case(const GoldenCase& c) {
  constexpr std::string_view recurrent_end = "weight_ih_l0", linear_end = "weight";
  RngCheck check(c);
  for (const io::ArrayView& array : c.file.arrays()) {
    const std::string_view name = array.name;
    if (!name.starts_with("init."))
      check.draw(array);
    else if (name.ends_with(recurrent_end))
      check.recurrent(std::string(name.substr(0, name.size() - recurrent_end.size())));
    else if (name.ends_with(linear_end))
      check.linear(std::string(name.substr(0, name.size() - linear_end.size())));
  }
  check.tutorial_order();
  check.expect_all_compared();
  return Outcome::run;
}

}  // namespace unroll::golden
