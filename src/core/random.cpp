#include "unroll/core/random.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cmath>
#include <istream>
#include <locale>
#include <numbers>
#include <numeric>
#include <optional>
#include <random>
#include <sstream>
#include <utility>
#include <variant>

#include "core/float_environment.h"
#include "core/numerics.h"
#include "core/philox.h"
#include "core/random_normal.h"
#include "unroll/core/error.h"

namespace unroll {
namespace {

// For this many elements or more PyTorch draws normals in blocks of 16.
constexpr std::size_t block_size = 16;
// For this n or more torch.randperm uses another method.
constexpr std::int64_t permutation_limit = 0xffffffff / 20;

/// Philox's words in sequence.
class PhiloxEngine {
 public:
  PhiloxEngine(std::uint64_t seed, std::uint64_t stream) : seed_(seed), stream_(stream) {}

  std::uint32_t operator()() {
    if (used_ == words_.size()) {
      words_ = philox(block_++, stream_, seed_);
      used_ = 0;
    }
    return words_[used_++];
  }

  friend std::ostream& operator<<(std::ostream& out, const PhiloxEngine& e) {
    return out << e.block_ << ' ' << e.used_;
  }
  /// Reads the state into an engine of the same seed and stream.
  friend std::istream& operator>>(std::istream& in, PhiloxEngine& e) {
    in >> e.block_ >> e.used_;
    if (e.used_ > e.words_.size()) in.setstate(std::ios::failbit);
    if (in) e.words_ = philox(e.block_ - 1, e.stream_, e.seed_);
    return in;
  }

 private:
  std::uint64_t seed_, stream_, block_ = 0;  // block_ is the next block
  std::array<std::uint32_t, 4> words_{};
  std::size_t used_ = 4;
};

using Engine = std::variant<PhiloxEngine, std::mt19937>;

Engine make_engine(std::uint64_t seed, Rng rng, std::uint64_t stream) {
  if (rng == Rng::native) return PhiloxEngine(seed, stream);
  return std::mt19937(static_cast<std::uint32_t>(seed));  // PyTorch also takes the low half only
}

void draw_unit(Generator& generator, float& x) {
  x = static_cast<float>(generator.next_u32() & 0xffffff) * 0x1p-24f;
}

void draw_unit(Generator& generator, double& x) {
  x = static_cast<double>(generator.next_u64() & ((std::uint64_t{1} << 53) - 1)) * 0x1p-53;
}

template <typename T>
void fill_uniform(Generator& generator, std::span<T> out, double low, double high) {
  const FloatEnvironment environment;
  const T a = static_cast<T>(low), b = static_cast<T>(high);
  if (!(a <= b) || !std::isfinite(b - a))
    throw ValueError(
        "uniform",
        fmt::format("range [{}, {}) given, expected low <= high, both finite", low, high));
  for (T& x : out) {
    draw_unit(generator, x);
    x = std::fma(x, b - a, a);
    if (x == b) x = a;
  }
}

template <typename T>
void fill_normal_blocks(Generator& generator, std::span<T> out, T mean, T std) {
  for (T& x : out) draw_unit(generator, x);
  std::size_t i = 0;
  for (; i + block_size <= out.size(); i += block_size)
    normal_from_uniform(out.subspan(i).template first<block_size>(), mean, std);
  if (i == out.size()) return;
  // The rest is drawn again together with the normals before it, as in PyTorch.
  const auto tail = out.template last<block_size>();
  for (T& x : tail) draw_unit(generator, x);
  normal_from_uniform(tail, mean, std);
}

void check_permutation(std::int64_t n) {
  if (n < 0 || n >= permutation_limit)
    throw ValueError("permutation",
                     fmt::format("{} elements given, expected 0 to {}", n, permutation_limit - 1));
}

}  // namespace

struct Generator::State {
  Rng rng;
  std::uint64_t seed, stream;
  Engine engine;
  std::optional<double> cached_normal;
  std::uint64_t children = 0;

  double draw_normal(Generator& generator) {
    if (cached_normal) return *std::exchange(cached_normal, std::nullopt);
    double u1 = 0, u2 = 0;
    draw_unit(generator, u1);
    draw_unit(generator, u2);
    const double r = std::sqrt(-2 * numerics::log1p(-u2));
    const double t = 2 * std::numbers::pi * u1;
    cached_normal = r * numerics::sin(t);
    return r * numerics::cos(t);
  }

  template <typename T>
  void fill_normal(Generator& generator, std::span<T> out, double mean, double std) {
    if (!(std >= 0) || !std::isfinite(std) || !std::isfinite(mean))
      throw ValueError("normal", fmt::format("mean {} and standard deviation {} given, expected "
                                             "finite numbers and a deviation of at least 0",
                                             mean, std));
    const FloatEnvironment environment;
    if (out.size() >= block_size)
      return fill_normal_blocks(generator, out, static_cast<T>(mean), static_cast<T>(std));
    for (T& x : out) x = static_cast<T>(std::fma(draw_normal(generator), std, mean));
  }
};

Generator::Generator(std::uint64_t seed, Rng rng, std::uint64_t stream) {
  if (rng == Rng::torch && stream != 0)
    throw ValueError("random", fmt::format("stream {} given, the torch engine has only stream 0; "
                                           "use another seed or the native engine",
                                           stream));
  state_ = std::make_unique<State>(State{rng, seed, stream, make_engine(seed, rng, stream), {}});
}

Generator::~Generator() = default;
Generator::Generator(Generator&&) noexcept = default;
Generator& Generator::operator=(Generator&&) noexcept = default;
Generator::Generator(const Generator& other) : state_(std::make_unique<State>(*other.state_)) {}

Generator& Generator::operator=(const Generator& other) {
  if (state_)
    *state_ = *other.state_;  // allocates nothing
  else
    state_ = std::make_unique<State>(*other.state_);
  return *this;
}

Rng Generator::rng() const { return state_->rng; }

void Generator::manual_seed(std::uint64_t seed) {
  *state_ = {state_->rng, seed, state_->stream, make_engine(seed, state_->rng, state_->stream), {}};
}

std::uint64_t Generator::child_seed() {
  // Counts blocks down, because the engine counts its blocks up from 0.
  const auto words = philox(~state_->children++, state_->stream, state_->seed);
  return std::uint64_t{words[0]} << 32 | words[1];
}

std::string Generator::state() const {
  std::ostringstream text;
  text.imbue(std::locale::classic());
  text << (state_->rng == Rng::torch ? "torch " : "native ") << state_->seed << ' '
       << state_->stream << ' ' << state_->children << ' ' << state_->cached_normal.has_value()
       << ' ' << std::bit_cast<std::uint64_t>(state_->cached_normal.value_or(0)) << ' ';
  std::visit([&](const auto& engine) { text << engine; }, state_->engine);
  return text.str();
}

void Generator::load_state(std::string_view state) {
  std::istringstream text{std::string(state)};
  text.imbue(std::locale::classic());
  std::string name;
  std::uint64_t seed = 0, stream = 0, children = 0, normal = 0;
  bool has_normal = false;
  text >> name >> seed >> stream >> children >> has_normal >> normal;
  const Rng rng = name == "torch" ? Rng::torch : Rng::native;
  Engine engine = make_engine(seed, rng, stream);
  std::visit([&](auto& e) { text >> e; }, engine);
  if (!text || (name != "torch" && name != "native") || !(text >> std::ws).eof())
    throw FormatError(
        "random",
        fmt::format("'{:.40}' is not the state of a generator; give a text from state()", state));
  *state_ = {rng, seed, stream, engine, {}, children};
  if (has_normal) state_->cached_normal = std::bit_cast<double>(normal);
}

std::uint32_t Generator::next_u32() {
  return std::visit([](auto& engine) { return static_cast<std::uint32_t>(engine()); },
                    state_->engine);
}

std::uint64_t Generator::next_u64() {
  const std::uint64_t high = next_u32();
  return high << 32 | next_u32();
}

std::int64_t Generator::random_i64() {
  return static_cast<std::int64_t>(next_u64() & ~(std::uint64_t{1} << 63));
}

void Generator::uniform(std::span<float> out, double low, double high) {
  fill_uniform(*this, out, low, high);
}

void Generator::uniform(std::span<double> out, double low, double high) {
  fill_uniform(*this, out, low, high);
}

void Generator::normal(std::span<float> out, double mean, double std) {
  state_->fill_normal(*this, out, mean, std);
}

void Generator::normal(std::span<double> out, double mean, double std) {
  state_->fill_normal(*this, out, mean, std);
}

std::vector<std::int64_t> Generator::permutation(std::int64_t n) {
  check_permutation(n);
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  permutation(order);
  return order;
}

void Generator::permutation(std::span<std::int64_t> out) {
  check_permutation(static_cast<std::int64_t>(out.size()));
  std::iota(out.begin(), out.end(), 0);
  for (std::size_t i = 0; i + 1 < out.size(); ++i)
    std::swap(out[i], out[i + next_u32() % (out.size() - i)]);
}

Generator& default_generator() {
  thread_local Generator generator(0);
  return generator;
}

void manual_seed(std::uint64_t seed, Rng rng) { default_generator() = Generator(seed, rng); }

}  // namespace unroll
