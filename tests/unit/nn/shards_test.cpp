// The gradient of a batch is the tree over the gradients of its shards, for every layer. The tree
// is plain loops here.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/batch_part.h"
#include "kernels/bf16.h"
#include "nn/rows.h"
#include "support/any_recurrent.h"
#include "support/tensors.h"
#include "unroll/autograd/ops.h"
#include "unroll/nn/activation_regularisation.h"
#include "unroll/nn/conv1d.h"
#include "unroll/nn/conv2d.h"
#include "unroll/nn/embedding.h"
#include "unroll/nn/layer_norm.h"
#include "unroll/nn/linear.h"
#include "unroll/nn/loss.h"
#include "unroll/nn/mask.h"

namespace unroll::nn {
namespace {

using test::random_tensor;

constexpr std::int64_t kMostRows = 130;
/// The rows of a batch, and the number of its shards: the usual one and others.
constexpr std::pair<std::int64_t, std::size_t> kBatches[] = {
    {31, 1}, {37, 2}, {100, 4}, {kMostRows, 8}, {37, 16}, {kMostRows, 64}};

/// Rows first .. first + count - 1 of x, which is f32 or i64.
Tensor rows_of(const Tensor& x, std::int64_t first, std::int64_t count) {
  Shape shape = x.shape();
  const std::int64_t row = x.numel() / x.size(0);
  shape[0] = count;
  const auto copy = [&]<class T>(const T* all) {
    return Tensor::from(std::vector<T>(all + first * row, all + (first + count) * row), shape);
  };
  return x.dtype() == DType::i64 ? copy(x.data<std::int64_t>()) : copy(x.data<float>());
}

/// Gradients of some weights, f32.
using Gradients = std::vector<Tensor>;

/// The gradients of `weights` if dy is the gradient of y.
Gradients gradients(const std::vector<Tensor>& weights, const Tensor& y, const Tensor& dy) {
  for (Tensor weight : weights) weight.clear_grad();
  sum(y * dy).backward();
  Gradients all;
  for (const Tensor& weight : weights) all.push_back(weight.grad().clone());
  return all;
}

/// 0+1, 2+3, ..., and so on with these sums.
Gradients tree(std::vector<Gradients> parts) {
  while (parts.size() > 1) {
    for (std::size_t i = 0; i < parts.size() / 2; ++i)
      for (std::size_t weight = 0; weight < parts[0].size(); ++weight) {
        float* const to = parts[2 * i][weight].data<float>();
        const float* const from = parts[2 * i + 1][weight].data<float>();
        for (std::int64_t e = 0; e < parts[0][weight].numel(); ++e) to[e] += from[e];
      }
    for (std::size_t i = 1; i < parts.size() / 2; ++i) parts[i] = parts[2 * i];
    parts.resize(parts.size() / 2);
  }
  return parts[0];
}

void expect_bits(const Gradients& got, const Gradients& expected, const std::string& what) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t weight = 0; weight < got.size(); ++weight)
    EXPECT_EQ(test::bits_of(got[weight]), test::bits_of(expected[weight]))
        << what << ", weight " << weight;
}

/// Compares batches of up to kMostRows rows with their shards. `compute(first, count)` gives the
/// gradients of weights for these rows alone.
void expect_tree(const std::function<Gradients(std::int64_t first, std::int64_t count)>& compute) {
  for (const auto& [number, count] : kBatches) {
    const auto rows = static_cast<std::size_t>(number);
    const std::string of = std::to_string(rows) + " rows, " + std::to_string(count) + " shards, ";
    const Shards all(rows, count);
    const auto compute_part = [&](const Shards& node) {
      const BatchPart part{node};
      const WithBatchPart guard(part);
      return compute(static_cast<std::int64_t>(node.first_row()),
                     static_cast<std::int64_t>(node.rows()));
    };
    const Gradients whole = compute_part(all);
    if (count == Shards::usual(rows)) expect_bits(compute(0, number), whole, of + "no part named");
    std::vector<Gradients> shards;
    for (std::size_t k = 0; k < count; ++k) {
      const std::size_t first = k * rows / count, size = (k + 1) * rows / count - first;
      const BatchPart alone{Shards(size, 1)};
      const WithBatchPart guard(alone);
      shards.push_back(compute(static_cast<std::int64_t>(first), static_cast<std::int64_t>(size)));
    }
    expect_bits(whole, tree(shards), of + "shard by shard");
    for (std::size_t parts = 1; parts <= count; parts *= 2) {
      std::vector<Gradients> nodes;
      for (std::size_t i = 0; i < parts; ++i)
        nodes.push_back(compute_part(all.node(i * count / parts, count / parts)));
      expect_bits(whole, tree(nodes), of + std::to_string(parts) + " parts");
    }
  }
}

/// A weight with random numbers.
Tensor weight_of(const Shape& shape, std::uint64_t seed) {
  Tensor weight = random_tensor(shape, DType::f32, seed);
  weight.set_requires_grad(true);
  return weight;
}

// 40 outputs and 70 inputs are several tiles.
TEST(Shards, OfLinear) {
  const Tensor weight = weight_of({40, 70}, 1), bias = weight_of({40}, 2);
  const Tensor x = random_tensor({kMostRows, 70}, DType::f32, 3),
               dy = random_tensor({kMostRows, 40}, DType::f32, 4);
  expect_tree([&](std::int64_t first, std::int64_t count) {
    return gradients({weight, bias}, linear(rows_of(x, first, count), weight, bias),
                     rows_of(dy, first, count));
  });
}

TEST(Shards, OfLinearOverSequences) {
  const Tensor weight = weight_of({3, 5}, 1), bias = weight_of({3}, 2);
  const Tensor x = random_tensor({kMostRows, 7, 5}, DType::f32, 3),
               dy = random_tensor({kMostRows, 7, 3}, DType::f32, 4);
  expect_tree([&](std::int64_t first, std::int64_t count) {
    return gradients({weight, bias}, linear(rows_of(x, first, count), weight, bias),
                     rows_of(dy, first, count));
  });
}

TEST(Shards, OfConv2d) {
  const Tensor weight = weight_of({6, 2, 3, 2}, 1), bias = weight_of({6}, 2);
  const Tensor x = random_tensor({kMostRows, 2, 5, 4}, DType::f32, 3),
               dy = random_tensor({kMostRows, 6, 5, 3}, DType::f32, 4);
  expect_tree([&](std::int64_t first, std::int64_t count) {
    const Tensor y = conv2d(rows_of(x, first, count), weight, bias, 1, {1, 0});
    return gradients({weight, bias}, y, rows_of(dy, first, count));
  });
}

TEST(Shards, OfConv1d) {
  const Tensor weight = weight_of({6, 2, 3}, 1), bias = weight_of({6}, 2);
  const StepWindows windows{.kernel = 3, .stride = 2, .padding = 1};
  const Tensor x = random_tensor({kMostRows, 5, 2}, DType::f32, 3),
               dy = random_tensor({kMostRows, 3, 6}, DType::f32, 4);
  expect_tree([&](std::int64_t first, std::int64_t count) {
    const Tensor y = conv1d(rows_of(x, first, count), weight, bias, windows);
    return gradients({weight, bias}, y, rows_of(dy, first, count));
  });
}

/// The numbers 0 .. most - 1 at random; the small ones are frequent.
Tensor random_indices(const Shape& shape, std::int64_t most) {
  const Tensor u = random_tensor(shape, DType::f64, 5, 0, 1);
  const Tensor indices = Tensor::empty(shape, DType::i64);
  for (std::size_t i = 0; i < u.values<double>().size(); ++i) {
    const double v = u.values<double>()[i];
    indices.values<std::int64_t>()[i] =
        static_cast<std::int64_t>(v * v * v * static_cast<double>(most));
  }
  return indices;
}

TEST(Shards, OfSumsOfLosses) {
  const Tensor x = random_tensor({kMostRows, 5}, DType::f32, 1),
               t = random_tensor({kMostRows, 5}, DType::f32, 2);
  const Tensor classes = random_indices({kMostRows}, 5);
  const CrossEntropyOptions with_sum{.reduction = Reduction::sum, .label_smoothing = 0.1};
  expect_tree([&](std::int64_t first, std::int64_t count) {
    const Tensor logits = rows_of(x, first, count), wanted = rows_of(t, first, count);
    return Gradients{sum(logits), mse_loss(logits, wanted, Reduction::sum),
                     l1_loss(logits, wanted, Reduction::sum),
                     cross_entropy(logits, rows_of(classes, first, count), with_sum)};
  });
}

/// The sum of x (N, ...) times `factor`: a chain in f64 for each of `count` shards.
Tensor sum_of(const Tensor& x, std::size_t count, double factor) {
  const auto rows = static_cast<std::size_t>(x.size(0));
  const std::size_t row_size = x.values<float>().size() / rows;
  std::vector<Gradients> shards;
  for (std::size_t k = 0; k < count; ++k) {
    double total = 0;
    for (std::size_t i = k * rows / count * row_size; i < (k + 1) * rows / count * row_size; ++i)
      total += static_cast<double>(x.values<float>()[i]);
    shards.push_back({Tensor::full({}, total * factor)});
  }
  return tree(shards)[0];
}

// The mean of a part has a denominator of its own. So the means are compared with the losses of the
// rows.
TEST(Shards, OfMeansOfLosses) {
  for (const auto& [rows, count] : kBatches) {
    const BatchPart all{Shards(static_cast<std::size_t>(rows), count)};
    const WithBatchPart guard(all);
    const Tensor x = random_tensor({rows, 5}, DType::f32, 1),
                 t = random_tensor({rows, 5}, DType::f32, 2);
    const Tensor classes = random_indices({rows}, 5);
    const double n = static_cast<double>(rows);
    expect_bits(
        {mean(x), mse_loss(x, t), cross_entropy(x, classes)},
        {sum_of(x, count, 1 / (5 * n)), sum_of(mse_loss(x, t, Reduction::none), count, 1 / (5 * n)),
         sum_of(cross_entropy(x, classes, {.reduction = Reduction::none}), count, 1 / n)},
        std::to_string(rows) + " rows");
  }
}

TEST(Shards, OfASingleNumberAndOfNothingIsOne) {
  EXPECT_EQ(sum(Tensor::full({}, 1.5)).item(), 1.5);
  EXPECT_EQ(sum(Tensor::zeros({0, 3})).item(), 0);
  EXPECT_EQ(sum(Tensor::zeros({3, 0})).item(), 0);
}

// 70 columns are two tasks.
TEST(Shards, OfLayerNorm) {
  const Tensor weight = weight_of({70}, 1), bias = weight_of({70}, 2);
  const Tensor x = random_tensor({kMostRows, 70}, DType::f32, 3),
               dy = random_tensor({kMostRows, 70}, DType::f32, 4);
  expect_tree([&](std::int64_t first, std::int64_t count) {
    return gradients({weight, bias}, layer_norm(rows_of(x, first, count), {70}, weight, bias),
                     rows_of(dy, first, count));
  });
}

TEST(Shards, OfLayerNormOverSequences) {
  const Tensor weight = weight_of({2, 5}, 1), bias = weight_of({2, 5}, 2);
  const Tensor x = random_tensor({kMostRows, 3, 2, 5}, DType::f32, 3),
               dy = random_tensor({kMostRows, 3, 2, 5}, DType::f32, 4);
  expect_tree([&](std::int64_t first, std::int64_t count) {
    return gradients({weight, bias}, layer_norm(rows_of(x, first, count), {2, 5}, weight, bias),
                     rows_of(dy, first, count));
  });
}

// 300 columns are two tasks. The batch is dimension 1.
TEST(Shards, OfLearntStates) {
  const Tensor state = weight_of({2, 1, 300}, 1);
  const Tensor dy = random_tensor({kMostRows, 2, 300}, DType::f32, 2);
  expect_tree([&](std::int64_t first, std::int64_t count) {
    return gradients({state}, expand_batch(state, count),
                     rows_of(dy, first, count).transpose(0, 1));
  });
}

// Most rows of the table are in few shards or in none; row 0 is in all.
TEST(Shards, OfEmbedding) {
  const Tensor weight = weight_of({300, 260}, 1);
  const Tensor indices = random_indices({kMostRows, 3}, 300),
               dy = random_tensor({kMostRows, 3, 260}, DType::f32, 4);
  for (const std::optional<std::int64_t> padding : {std::optional<std::int64_t>(), {0}, {-1}})
    expect_tree([&](std::int64_t first, std::int64_t count) {
      return gradients({weight}, embedding(rows_of(indices, first, count), weight, padding),
                       rows_of(dy, first, count));
    });
}

TEST(Shards, OfEmbeddingOfAList) {
  const Tensor weight = weight_of({9, 4}, 1);
  const Tensor indices = random_indices({kMostRows}, 9),
               dy = random_tensor({kMostRows, 4}, DType::f32, 4);
  expect_tree([&](std::int64_t first, std::int64_t count) {
    return gradients({weight}, embedding(rows_of(indices, first, count), weight),
                     rows_of(dy, first, count));
  });
}

/// A penalty by plain loops: y is (N, T, F), and `lag` 1 takes the changes from step to step.
Tensor penalty_of(const Tensor& y, const std::vector<std::int64_t>& lengths, std::size_t count,
                  double factor, std::int64_t lag) {
  const auto rows = static_cast<std::size_t>(y.size(0));
  std::int64_t terms = 0;
  for (const std::int64_t length : lengths) terms += (length - lag) * y.size(2);
  std::vector<Gradients> shards;
  for (std::size_t k = 0; k < count; ++k) {
    double total = 0;
    for (std::int64_t t = 0; t < y.size(1); ++t)
      for (std::size_t n = k * rows / count; n < (k + 1) * rows / count; ++n) {
        if (t + lag >= lengths[n]) continue;
        const auto at = [&](std::int64_t step, std::int64_t j) {
          return y.data<float>()[(static_cast<std::int64_t>(n) * y.size(1) + step) * y.size(2) + j];
        };
        double row = 0;
        for (std::int64_t j = 0; j < y.size(2); ++j) {
          const float d = lag == 0 ? at(t, j) : at(t + 1, j) - at(t, j);
          row += static_cast<double>(d) * static_cast<double>(d);
        }
        total += row;
      }
    shards.push_back({Tensor::full({}, factor / static_cast<double>(terms) * total)});
  }
  return tree(shards)[0];
}

// Penalties divide by the terms of the whole batch in every part of it.
TEST(Shards, OfPenalties) {
  for (const auto& [rows, count] : kBatches)
    for (const bool ragged : {false, true})
      for (const int lag : {0, 1}) {
        const auto penalty =
            lag == 0 ? activation_regularisation : temporal_activation_regularisation;
        const Tensor all = weight_of({rows, 6, 3}, 1);
        std::vector<std::int64_t> lengths(static_cast<std::size_t>(rows), 6);
        if (ragged)
          for (std::int64_t n = 0; n < rows; ++n)
            lengths[static_cast<std::size_t>(n)] = 6 - 6 * n / rows;
        std::int64_t steps = 0;
        for (const std::int64_t length : lengths) steps += length;
        /// The value, and y's gradient, of these rows.
        const auto compute = [&](std::int64_t first, std::int64_t number) {
          Tensor y = rows_of(all, first, number);
          y.set_requires_grad(true);
          const auto some = std::span(lengths).subspan(static_cast<std::size_t>(first),
                                                       static_cast<std::size_t>(number));
          const Tensor value = penalty(
              y, 0.7,
              {.lengths = ragged ? some : std::span<const std::int64_t>(), .batch_first = true});
          value.backward();
          return Gradients{value, y.grad()};
        };
        const auto compute_part = [&](const Shards& node) {
          const BatchPart part{node, ragged ? static_cast<std::size_t>(steps) : 0};
          const WithBatchPart guard(part);
          return compute(static_cast<std::int64_t>(node.first_row()),
                         static_cast<std::int64_t>(node.rows()));
        };
        const Shards shards(static_cast<std::size_t>(rows), count);
        const Gradients whole = compute_part(shards);
        const std::string what = std::to_string(rows) + (ragged ? " ragged" : "") + " rows, " +
                                 std::to_string(count) + " shards, lag " + std::to_string(lag);
        if (count == Shards::usual(shards.rows())) expect_bits(compute(0, rows), whole, what);
        expect_bits({whole[0]}, {penalty_of(all, lengths, count, 0.7, lag)}, what);
        for (std::size_t parts = 1; parts <= count; parts *= 2) {
          std::vector<Gradients> values;
          for (std::size_t i = 0; i < parts; ++i) {
            const Shards node = shards.node(i * count / parts, count / parts);
            const Gradients got = compute_part(node);
            values.push_back({got[0]});
            expect_bits(
                {got[1]},
                {rows_of(whole[1], static_cast<std::int64_t>(node.first_row()), got[1].size(0))},
                what);
          }
          expect_bits({whole[0]}, tree(values), what);
        }
      }
}

/// A recurrent layer (N, T, I) with options, and lengths that descend.
struct RecurrentSizes {
  std::string name;
  std::int64_t steps = 5, input = 3, hidden = 7, projection = 0;
  RecurrentOptions options = {};
  bool ragged = false, weight_drop = false;
};

void expect_tree_of(test::RecurrentKind kind, const RecurrentSizes& sizes) {
  Generator generator(7);
  RecurrentOptions options = sizes.options;
  options.batch_first = true;
  options.generator = &generator;
  const auto layer =
      test::make_recurrent(kind, sizes.input, sizes.hidden, options, sizes.projection);
  std::vector<Tensor> weights;
  for (const Parameter& p : layer->layer().parameters()) weights.push_back(p.value);
  const Tensor x = random_tensor({kMostRows, sizes.steps, sizes.input}, DType::f32, 3);
  const std::int64_t directions = options.bidirectional ? 2 : 1,
                     state = sizes.projection ? sizes.projection : sizes.hidden;
  const Tensor dy = random_tensor({kMostRows, sizes.steps, directions * state}, DType::f32, 4);
  std::vector<RecurrentMasks> masks(static_cast<std::size_t>(options.num_layers * directions));
  if (sizes.weight_drop)
    for (std::size_t i = 0; i < masks.size(); ++i)
      masks[i].keep_weight_hh =
          bernoulli_mask(layer->layer().layers()[i][WeightRole::weight_hh].shape(), 0.7, {i, 0, 0});
  SCOPED_TRACE(test::name_of(kind) + " " + sizes.name);
  expect_tree([&](std::int64_t first, std::int64_t count) {
    std::vector<std::int64_t> lengths;
    if (sizes.ragged)
      for (std::int64_t n = first; n < first + count; ++n)
        lengths.push_back(sizes.steps - n * sizes.steps / kMostRows);
    const Tensor y =
        (*layer)(rows_of(x, first, count), {}, {.lengths = lengths, .masks = masks}).output;
    return gradients(weights, y, rows_of(dy, first, count));
  });
}

TEST(Shards, OfRecurrentLayers) {
  const RecurrentSizes all[] = {
      {.name = "small"},
      {.name = "two layers in two directions, ragged",
       .options = {.num_layers = 2, .bidirectional = true},
       .ragged = true},
      {.name = "layer norm", .options = {.regularisation = {.layer_norm = true}}, .ragged = true},
      {.name = "weight drop",
       .options = {.regularisation = {.weight_drop = 0.3}},
       .weight_drop = true},
  };
  for (const test::RecurrentKind kind : test::recurrent_kinds)
    for (const RecurrentSizes& sizes : all) expect_tree_of(kind, sizes);
  expect_tree_of(test::RecurrentKind::lstm, {.name = "projected", .projection = 4, .ragged = true});
}

// A step's odd last row has no partner, wherever a chunk of steps ends.
TEST(Shards, OfRecurrentLayersInBf16) {
  if (!kernels::bf16_available()) GTEST_SKIP() << "this CPU has no AVX512_BF16";
  using enum kernels::Cell;
  const RecurrentOptions bf16{.precision = Precision::bf16};
  expect_tree_of(lstm, {.name = "small", .options = bf16, .ragged = true});
  expect_tree_of(gru, {.name = "large", .steps = 17, .input = 20, .hidden = 150, .options = bf16});
}

// Sums in tiles: in one chunk of steps or in several, in memory or in panels.
TEST(Shards, OfLargeRecurrentLayers) {
  using enum kernels::Cell;
  expect_tree_of(lstm, {.name = "ragged", .steps = 17, .input = 20, .hidden = 130, .ragged = true});
  expect_tree_of(gru, {.name = "drop",
                       .steps = 17,
                       .input = 20,
                       .hidden = 150,
                       .options = {.regularisation = {.weight_drop = 0.3}},
                       .weight_drop = true});
  expect_tree_of(lstm, {.name = "wide", .steps = 2, .input = 400, .hidden = 40});
  expect_tree_of(lstm, {.name = "projected", .steps = 2, .hidden = 260, .projection = 70});
  expect_tree_of(rnn_tanh, {.name = "chunks of panels",
                            .steps = 25,
                            .input = 20,
                            .hidden = 520,
                            .options = {.regularisation = {.weight_drop = 0.3}},
                            .weight_drop = true});
}

}  // namespace
}  // namespace unroll::nn
