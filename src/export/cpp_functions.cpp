#include "export/cpp_functions.h"

#include <vector>

namespace unroll::exporter {
namespace {

struct Function {
  std::string_view name;
  std::vector<std::string_view> calls;
  std::string_view text;
};

// In the order in which they stand in a header. They allocate nothing and call only each other and
// memcpy. They also work with -ffast-math, except that NaN is then not handled. exp is the one in
// core/math-inl.h, but rounds by a conversion to int. The rounding there adds 1.5 2^23, and
// -ffast-math would remove it.
const Function kFunctions[] = {
    {"copy", {}, R"(inline void copy(const float* from, size_t count, float* to) {
  for (size_t j = 0; j < count; ++j) to[j] = from[j];
}
)"},
    {"fill", {}, R"(inline void fill(float value, size_t count, float* to) {
  for (size_t j = 0; j < count; ++j) to[j] = value;
}
)"},
    {"add", {}, R"(inline void add(const float* from, size_t count, float* to) {
  for (size_t j = 0; j < count; ++j) to[j] += from[j];
}
)"},
    {"scale",
     {},
     R"(/// (x - mean) / std.
inline void scale(const float* mean, const float* std, const float* x, size_t count, float* to) {
  for (size_t j = 0; j < count; ++j) to[j] = (x[j] - mean[j]) / std[j];
}
)"},
    {"row_of",
     {},
     R"(/// The row of a token. A number that is no token gives some row of the matrix, never one outside.
inline size_t row_of(float token, size_t rows) {
  const uint32_t row =
      token > 0.0f && token < 16777216.0f ? static_cast<uint32_t>(token) : 0;
  return row < rows ? row : rows - 1;
}
)"},
    {"embed",
     {"row_of", "copy"},
     R"(/// Row `token` of the weight (rows, count).
inline void embed(const float* weight, const float* token, size_t rows, size_t count, float* to) {
  copy(weight + row_of(*token, rows) * count, count, to);
}
)"},
    {"embed_int8",
     {"row_of"},
     R"(/// Row `token` of the weight (rows, count), whose row j is scale[j] times integers.
inline void embed(const int8_t* weight, const float* scale, const float* token, size_t rows,
                  size_t count, float* to) {
  const size_t row = row_of(*token, rows);
  for (size_t j = 0; j < count; ++j)
    to[j] = scale[row] * static_cast<float>(weight[row * count + j]);
}
)"},
    {"multiply_add",
     {},
     R"(/// sums += W x. W is stored column by column: all weights of x[0], then those of x[1], ...
inline void multiply_add(const float* weight, const float* x, size_t inputs, size_t outputs,
                         float* __restrict sums) {
  const size_t fours = inputs - inputs % 4;
  for (size_t k = 0; k < fours; k += 4, weight += 4 * outputs) {
    const float a = x[k], b = x[k + 1], c = x[k + 2], d = x[k + 3];
    for (size_t j = 0; j < outputs; ++j) {
      float sum = sums[j];
      sum += a * weight[j];
      sum += b * weight[outputs + j];
      sum += c * weight[2 * outputs + j];
      sum += d * weight[3 * outputs + j];
      sums[j] = sum;
    }
  }
  for (size_t k = fours; k < inputs; ++k, weight += outputs)
    for (size_t j = 0; j < outputs; ++j) sums[j] += x[k] * weight[j];
}
)"},
    {"multiply_add_int8",
     {},
     R"(/// sums += W x. Row j of W is scale[j] times integers. W is stored column by column: all weights
/// of x[0], then those of x[1], ...
inline void multiply_add(const int8_t* weight, const float* scale, const float* x, size_t inputs,
                         size_t outputs, float* __restrict sums) {
  const size_t fours = inputs - inputs % 4;
  for (size_t k = 0; k < fours; k += 4, weight += 4 * outputs) {
    const float a = x[k], b = x[k + 1], c = x[k + 2], d = x[k + 3];
    for (size_t j = 0; j < outputs; ++j) {
      float sum = a * static_cast<float>(weight[j]);
      sum += b * static_cast<float>(weight[outputs + j]);
      sum += c * static_cast<float>(weight[2 * outputs + j]);
      sum += d * static_cast<float>(weight[3 * outputs + j]);
      sums[j] += scale[j] * sum;
    }
  }
  for (size_t k = fours; k < inputs; ++k, weight += outputs)
    for (size_t j = 0; j < outputs; ++j)
      sums[j] += scale[j] * (x[k] * static_cast<float>(weight[j]));
}
)"},
    {"convolve",
     {"multiply_add"},
     R"(/// sums += the products with a window of steps. The window is a ring of `span` steps, the oldest
/// at `oldest`. The weight is (groups, kernel, inputs, outputs), with the inputs and outputs of a
/// group.
inline void convolve(const float* weight, const float* window, size_t oldest, size_t span,
                     size_t dilation, size_t kernel, size_t groups, size_t inputs, size_t outputs,
                     float* sums) {
  for (size_t g = 0; g < groups; ++g)
    for (size_t k = 0; k < kernel; ++k, weight += inputs * outputs)
      multiply_add(weight,
                   window + (oldest + k * dilation) % span * groups * inputs + g * inputs, inputs,
                   outputs, sums + g * outputs);
}
)"},
    {"convolve_int8",
     {"multiply_add_int8"},
     R"(/// sums += the products with a window of steps. The window is a ring of `span` steps, the oldest
/// at `oldest`. The weight is (groups, kernel, inputs, outputs), with the inputs and outputs of a
/// group; all weights of an output are scale[output] times integers.
inline void convolve(const int8_t* weight, const float* scale, const float* window, size_t oldest,
                     size_t span, size_t dilation, size_t kernel, size_t groups, size_t inputs,
                     size_t outputs, float* sums) {
  for (size_t g = 0; g < groups; ++g)
    for (size_t k = 0; k < kernel; ++k, weight += inputs * outputs)
      multiply_add(weight, scale + g * outputs,
                   window + (oldest + k * dilation) % span * groups * inputs + g * inputs, inputs,
                   outputs, sums + g * outputs);
}
)"},
    {"relu", {}, R"(inline void relu(const float* from, size_t count, float* to) {
  for (size_t j = 0; j < count; ++j) to[j] = from[j] < 0.0f ? 0.0f : from[j];
}
)"},
    {"exponential",
     {},
     R"(/// e^x = power (1 + rest). power is a power of two, rest is e^r - 1 with |r| <= ln(2)/2.
struct Exponential {
  float power, rest;
};

/// For x from -limit to limit, which is at most 87. Any other x counts as the nearer end, NaN as
/// -limit. The polynomial is from the Cephes library (Moshier 1989).
inline Exponential exponential(float x, float limit) {
  x = x > limit ? limit : x > -limit ? x : -limit;
  const int32_t n = static_cast<int32_t>(x * 1.44269504f + (x < 0.0f ? -0.5f : 0.5f));
  const float whole = static_cast<float>(n);
  const float r = (x - whole * 0.693359375f) + whole * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  const uint32_t bits = static_cast<uint32_t>(n + 127) << 23;  // of 2^n
  Exponential result = {0.0f, p * (r * r) + r};
  memcpy(&result.power, &bits, sizeof bits);
  return result;
}
)"},
    {"tanh",
     {"exponential"},
     R"(/// (e^2x - 1) / (e^2x + 1), to a few units in the last place. From x = 9.1 on it is 1.
inline float tanh(float x) {
  const Exponential e = exponential(2.0f * x, 18.2f);
  const float less_one = e.power * e.rest + (e.power - 1.0f);
  return x != x ? x : less_one / (less_one + 2.0f);
}
)"},
    {"sigmoid", {"exponential"}, R"(/// 1 / (1 + e^-x), to a few units in the last place.
inline float sigmoid(float x) {
  const Exponential e = exponential(-x, 87.0f);
  return x != x ? x : 1.0f / (1.0f + (e.power * e.rest + e.power));
}
)"},
    {"tanh_all", {"tanh"}, R"(inline void tanh(const float* from, size_t count, float* to) {
  for (size_t j = 0; j < count; ++j) to[j] = tanh(from[j]);
}
)"},
    {"sigmoid_all",
     {"sigmoid"},
     R"(inline void sigmoid(const float* from, size_t count, float* to) {
  for (size_t j = 0; j < count; ++j) to[j] = sigmoid(from[j]);
}
)"},
    {"symlog",
     {},
     R"(/// log(1 + x) for x >= 0. The polynomial is from the Cephes library (Moshier 1989).
inline float log_above_1(float x) {
  const float u = 1.0f + x;
  if (u == 1.0f || !(u < 3.0e38f)) return x;
  uint32_t bits;
  memcpy(&bits, &u, sizeof u);
  int32_t e = static_cast<int32_t>(bits >> 23) - 126;
  bits = (bits & 0x007fffff) | 0x3f000000;
  float m;
  memcpy(&m, &bits, sizeof m);  // u = m 2^e, with m from 1/2 to 1
  if (m < 0.707106781f) {
    m += m;
    --e;
  }
  m -= 1.0f;
  const float whole = static_cast<float>(e), z = m * m;
  float p = 7.0376836292e-2f;
  p = p * m - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  const float rest = (p * m * z - 2.12194440e-4f * whole) - 0.5f * z;
  const float log_u = (m + rest) + 0.693359375f * whole;
  return log_u * (x / (u - 1.0f));  // carries the rounding error of 1 + x
}

/// sign(x) log(1 + |x|)
inline void symlog(const float* from, size_t count, float* to) {
  for (size_t j = 0; j < count; ++j)
    to[j] = from[j] < 0.0f ? -log_above_1(-from[j]) : log_above_1(from[j]);
}
)"},
    {"inverse_square_root",
     {},
     R"(/// 1 / sqrt(x) for x > 0: a guess from the exponent, and Newton's method.
inline float inverse_square_root(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof x);
  bits = 0x5f3759df - (bits >> 1);
  float y;
  memcpy(&y, &bits, sizeof bits);
  for (int i = 0; i < 3; ++i) y *= 1.5f - 0.5f * x * y * y;
  return y;
}
)"},
    {"normalise",
     {"inverse_square_root"},
     R"(/// x = weight (x - mean) / sqrt(variance + epsilon) + bias (Ba 2016).
inline void normalise(const float* weight, const float* bias, float epsilon, size_t count,
                      float* x) {
  float mean = 0.0f, variance = 0.0f;
  for (size_t j = 0; j < count; ++j) mean += x[j];
  mean /= static_cast<float>(count);
  for (size_t j = 0; j < count; ++j) variance += (x[j] - mean) * (x[j] - mean);
  variance /= static_cast<float>(count);
  const float factor = inverse_square_root(variance + epsilon);
  for (size_t j = 0; j < count; ++j) x[j] = weight[j] * ((x[j] - mean) * factor) + bias[j];
}
)"},
    {"lstm_memory",
     {"tanh", "sigmoid"},
     R"(/// c' = sigmoid(f) c + sigmoid(i) tanh(g) for the sums [i | f | g | o]. Replaces o by sigmoid(o).
inline void lstm_memory(float* sums, size_t units, const float* c, float* to) {
  for (size_t j = 0; j < units; ++j) {
    const float i = sigmoid(sums[j]), f = sigmoid(sums[units + j]);
    const float g = tanh(sums[2 * units + j]);
    sums[3 * units + j] = sigmoid(sums[3 * units + j]);
    to[j] = f * c[j] + i * g;
  }
}
)"},
    {"lstm_output", {"tanh"}, R"(/// h' = o tanh(c').
inline void lstm_output(const float* o, const float* c, size_t units, float* to) {
  for (size_t j = 0; j < units; ++j) to[j] = o[j] * tanh(c[j]);
}
)"},
    {"gru",
     {"tanh", "sigmoid"},
     R"(/// n = tanh(x_n + sigmoid(r) h_n), h' = n + sigmoid(z) (h - n). of_x and of_h are the sums
/// [r | z | n] of the input and of the state.
inline void gru(const float* of_x, const float* of_h, size_t units, const float* h, float* to) {
  for (size_t j = 0; j < units; ++j) {
    const float r = sigmoid(of_x[j] + of_h[j]);
    const float z = sigmoid(of_x[units + j] + of_h[units + j]);
    const float n = tanh(of_x[2 * units + j] + r * of_h[2 * units + j]);
    to[j] = n + z * (h[j] - n);
  }
}
)"},
    {"keep_zone", {}, R"(/// state = rate state + (1 - rate) fresh (zoneout, Krueger 2017).
inline void keep_zone(float rate, const float* fresh, size_t count, float* state) {
  for (size_t j = 0; j < count; ++j) state[j] = rate * state[j] + (1.0f - rate) * fresh[j];
}
)"},
    {"gather_largest",
     {},
     R"(inline void gather_largest(const float* h, size_t count, float* largest) {
  for (size_t j = 0; j < count; ++j)
    if (h[j] > largest[j] || h[j] != h[j]) largest[j] = h[j];
}
)"},
    {"mean", {}, R"(inline void mean(const float* total, size_t count, uint32_t steps, float* to) {
  for (size_t j = 0; j < count; ++j) to[j] = total[j] / static_cast<float>(steps);
}
)"},
};

void add_with_callees(std::string_view name, std::set<std::string_view>& names) {
  names.insert(name);
  for (const Function& f : kFunctions)
    if (f.name == name)
      for (const std::string_view callee : f.calls) add_with_callees(callee, names);
}

}  // namespace

std::string cpp_functions(std::set<std::string_view> names) {
  for (const std::string_view name : std::set(names)) add_with_callees(name, names);
  std::string text;
  for (const Function& f : kFunctions)
    if (names.contains(f.name)) (text += f.text) += '\n';
  return text;
}

}  // namespace unroll::exporter
