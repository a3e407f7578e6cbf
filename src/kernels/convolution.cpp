#include "kernels/convolution.h"

#include <algorithm>
#include <cstring>

#include "core/parallel.h"
#include "kernels/add_blocks.h"
#include "kernels/parallel_gemm.h"
#include "kernels/table.h"
#include "kernels/transpose.h"

namespace unroll::kernels {
namespace {

/// The largest number of elements in the gradients of all nodes.
constexpr std::size_t kMostGradients = std::size_t{1} << 20;
/// Tasks per thread, so that no thread waits long for the last one.
constexpr std::size_t kTasksPerThread = 4;
/// Elements copied at once. A copy may run over its end by up to one less.
constexpr std::size_t kStride = 16;

std::ptrdiff_t as_signed(std::size_t value) { return static_cast<std::ptrdiff_t>(value); }

/// A forward or backward pass: output (i, j) reads rows i stride + kh - padding of the input. The
/// input has `spread - 1` zeros between neighbours (the stride of the other direction).
struct Pass {
  std::size_t channels, outputs;
  Size2d input, kernel, output, stride, spread;
  std::int64_t padding_top, padding_left;

  /// The rows and columns that are read, including zeros.
  Size2d framed() const {
    return {(output.height - 1) * stride.height + kernel.height,
            (output.width - 1) * stride.width + kernel.width};
  }
  // The copies of a channel, (KW, rows, OW). With stride 1 all rows of the kernel share a copy, and
  // kh begins at row kh. Otherwise each kh has its own rows.
  std::int64_t row_step() const { return stride.height == 1 ? output.width : output.numel(); }
  std::int64_t plane() const {
    return stride.height == 1 ? framed().height * output.width : kernel.height * output.numel();
  }
  std::int64_t channel_size() const { return kernel.width * plane(); }
  /// Memory of a task for `copied` channels: the copies and a frame.
  std::size_t task_size(std::size_t copied) const {
    const std::size_t size = copied * channel_size() + framed().numel() + 2 * kStride;
    return (size + kStride - 1) / kStride * kStride;
  }
};

Pass forward_pass(const ConvolutionShape& s) {
  return {s.channels, s.outputs, s.input,          s.kernel,       s.output,
          s.stride,   {1, 1},    s.padding.height, s.padding.width};
}

Pass input_gradient_pass(const ConvolutionShape& s) {
  return {s.outputs,
          s.channels,
          s.output,
          s.kernel,
          s.input,
          {1, 1},
          s.stride,
          s.kernel.height - 1 - s.padding.height,
          s.kernel.width - 1 - s.padding.width};
}

/// Writes a channel with zeros around it and, with a spread, between its elements.
template <class T>
void write_frame(const Pass& p, const T* from, T* to) noexcept {
  const Size2d framed = p.framed();
  std::fill_n(to, framed.numel(), T{0});
  const auto put_row = [&](const T* row, T* line) {
    for (std::int64_t c = 0; c < p.input.width; ++c) {
      const std::int64_t at = c * p.spread.width + p.padding_left;
      if (at >= 0 && at < framed.width) line[at] = row[c];
    }
  };
  for (std::int64_t r = 0; r < p.input.height; ++r) {
    const std::int64_t at = r * p.spread.height + p.padding_top;
    if (at >= 0 && at < framed.height) put_row(from + r * p.input.width, to + at * framed.width);
  }
}

/// Writes a row of a copy: every stride-th element. With stride 1 it may read and write past the
/// row's end. That memory is written later or not used.
template <class T>
void copy_row(const Pass& p, const T* from, T* to) noexcept {
  if (p.stride.width == 1) {
    for (std::int64_t j = 0; j < p.output.width; j += kStride)
      std::memcpy(to + j, from + j, kStride * sizeof(T));
  } else {
    for (std::int64_t j = 0; j < p.output.width; ++j) to[j] = from[j * p.stride.width];
  }
}

/// Writes the copies of one channel for some columns of the kernel. `frame` is memory for framed().
template <class T>
void write_channel(const Pass& p, Columns columns, const T* from, T* to, T* frame) noexcept {
  write_frame(p, from, frame);
  const std::int64_t line = p.framed().width;
  for (std::size_t kw = columns.begin; kw < columns.end; ++kw) {
    const auto copy = [&](std::int64_t row) {
      copy_row(p, frame + row * line + kw, to);
      to += p.output.width;
    };
    if (p.stride.height == 1) {
      for (std::int64_t row = 0; row < p.framed().height; ++row) copy(row);
    } else {
      for (std::int64_t kh = 0; kh < p.kernel.height; ++kh)
        for (std::int64_t i = 0; i < p.output.height; ++i) copy(i * p.stride.height + kh);
    }
  }
}

/// Calls f(begin, end, task) for at most `tasks` tasks, which share 0 .. count - 1.
template <class F>
void share(std::size_t count, std::size_t tasks, F&& f) noexcept {
  tasks = std::min(count, tasks);
  parallel(tasks,
           [&](std::size_t task) { f(task * count / tasks, (task + 1) * count / tasks, task); });
}

/// A whole pass. `weight` is (outputs, channels, KW, KH); `copies` has task_size(channels) for each
/// task.
template <class T>
void run(const Pass& p, const ConvolutionPlan& plan, const T* x, const T* weight, const T* bias,
         T* y, T* copies) noexcept {
  const std::size_t depth = p.channels * p.kernel.numel(), pixels = p.output.numel();
  Gemm<T> g;
  g.rows = p.outputs;
  g.columns = pixels;
  g.count = 1;
  g.out_row = as_signed(pixels);
  Product<T>& product = g.products[0];
  product.a = weight;
  product.a_row = as_signed(depth);
  product.a_repeat = p.kernel.height;
  product.depth = p.kernel.height;
  product.b_k = p.row_step();
  product.repeat = p.channels * p.kernel.width;
  product.b_repeat = p.plane();
  // one product over all kernel rows: the same order of sums
  if (p.plane() == p.kernel.height * p.row_step()) {
    product.depth = depth;
    product.repeat = 1;
  }
  share(plan.shape.batch, plan.tasks, [&](std::size_t begin, std::size_t end, std::size_t task) {
    T* const copy = copies + task * p.task_size(p.channels);
    T* const frame = copy + p.channels * p.channel_size() + kStride;
    Gemm<T> image = g;
    image.products[0].b = copy;
    for (std::size_t n = begin; n < end; ++n) {
      for (std::size_t c = 0; c < p.channels; ++c)
        write_channel(p, {0, static_cast<std::size_t>(p.kernel.width)},
                      x + (n * p.channels + c) * p.input.numel(), copy + c * p.channel_size(),
                      frame);
      image.out = y + n * p.outputs * pixels;
      if (bias) {
        for (std::size_t o = 0; o < p.outputs; ++o)
          std::fill_n(image.out + o * pixels, pixels, bias[o]);
        image.init = image.out;
        image.init_row = image.out_row;
      }
      parallel_gemm(image);  // on this thread only, unless this is the only task
    }
  });
}

std::size_t nodes_of(const ConvolutionShape& s) {
  std::size_t nodes = s.shards.count();
  while (nodes > 1 && nodes * s.weights() > kMostGradients) nodes /= 2;
  return nodes;
}

/// Enough strips for one part a thread. More would cost copies.
std::size_t strips_of(const ConvolutionShape& s, std::size_t nodes) {
  const std::size_t parts = nodes * s.channels, threads = static_cast<std::size_t>(threads_here());
  return std::min<std::size_t>((threads + parts - 1) / parts, s.kernel.width);
}

/// The size of a node's gradients: weight as (C, KW, KH, O), then bias.
std::size_t block_size(const ConvolutionShape& s) { return s.weights() + s.outputs; }

std::size_t transposed_size(const ConvolutionShape& s) {
  return s.batch * s.output.numel() * s.outputs;
}

std::size_t largest_sum(const ConvolutionShape& s) { return s.kernel.numel() * s.outputs; }

/// Memory of a task of WeightGradient: the copies of a channel, and the sums of the tree but the
/// first.
std::size_t gradient_memory(const ConvolutionPlan& plan) {
  const std::size_t slots = tree_slots(plan.shape.shards.count() / plan.nodes);
  return forward_pass(plan.shape).task_size(1) + (slots - 1) * largest_sum(plan.shape);
}

std::size_t parts_of_node(const ConvolutionPlan& plan) {
  return plan.shape.channels * plan.strips + 1;
}

/// The gradients of the weights, in parts that are shared by the threads. A part is a node of the
/// tree over shards, a channel, and a strip of kernel columns; or a node's bias.
template <class T>
class WeightGradient {
 public:
  /// `transposed` is dy as (N, OH OW, O). `blocks` has block_size for each node.
  WeightGradient(const ConvolutionPlan& plan, const T* x, const T* transposed, T* blocks)
      : plan_(plan), x_(x), transposed_(transposed), blocks_(blocks) {}

  void compute(std::size_t part, T* memory) const noexcept {
    const std::size_t in_node = parts_of_node(plan_), width = s_.kernel.width;
    const std::size_t node = part / in_node, channel = part % in_node / plan_.strips,
                      strip = part % in_node % plan_.strips;
    const Columns columns{strip * width / plan_.strips, (strip + 1) * width / plan_.strips};
    const std::size_t column = s_.kernel.height * s_.outputs;  // weights of a kernel column
    const bool is_bias = channel == s_.channels;
    T* const first = blocks_ + node * block_size(s_) + (channel * width + columns.begin) * column;
    T* const others = memory + pass_.task_size(1);
    const auto sum_of = [&](std::size_t shard) {
      const std::size_t slot = tree_slot(shard);
      return Matrix<T>{slot == 0 ? first : others + (slot - 1) * largest_sum(s_), 0};
    };
    const std::size_t shards = s_.shards.count() / plan_.nodes;
    tree_sum(
        shards,
        [&](std::size_t shard) {
          const std::size_t k = node * shards + shard;
          const Images images{s_.shards.begin(k), s_.shards.begin(k + 1)};
          if (is_bias)
            sum_bias(images, sum_of(shard).data);
          else
            sum_channel(images, channel, columns, memory, sum_of(shard).data);
        },
        [&](std::size_t left, std::size_t right) {
          const Extent all{1, is_bias ? s_.outputs : columns.count() * column};
          table<T>().rows.add(all, sum_of(left), {sum_of(right).data, 0});
        });
  }

 private:
  struct Images {
    std::size_t begin, end;
  };

  void sum_bias(Images images, T* to) const noexcept {
    const std::size_t pixels = s_.output.numel();
    table<T>().gemm(column_sums((images.end - images.begin) * pixels, s_.outputs,
                                transposed_ + images.begin * pixels * s_.outputs, to));
  }

  /// For each image and column of the kernel, adds rows kh of the copy times dy.
  void sum_channel(Images images, std::size_t channel, Columns columns, T* copy,
                   T* to) const noexcept {
    const std::size_t pixels = s_.output.numel();
    T* const frame = copy + pass_.channel_size() + kStride;
    for (std::size_t n = images.begin; n < images.end; ++n) {
      write_channel(pass_, columns, x_ + (n * s_.channels + channel) * s_.input.numel(), copy,
                    frame);
      Gemm<T> g = dense_product(s_.kernel.height, pixels, s_.outputs, static_cast<const T*>(copy),
                                transposed_ + n * pixels * s_.outputs, to);
      g.products[0].a_row = pass_.row_step();
      for (std::size_t i = 0; i < columns.count(); ++i) {
        g.init = n == images.begin ? nullptr : g.out;
        g.init_row = g.out_row;
        table<T>().gemm(g);
        g.products[0].a += pass_.plane();
        g.out += s_.kernel.height * s_.outputs;
      }
    }
  }

  const ConvolutionPlan& plan_;
  const ConvolutionShape& s_ = plan_.shape;
  const Pass pass_ = forward_pass(s_);
  const T *x_, *transposed_;
  T* blocks_;
};

}  // namespace

ConvolutionPlan::ConvolutionPlan(const ConvolutionShape& s)
    : shape(s),
      tasks(kTasksPerThread * static_cast<std::size_t>(threads_here())),
      nodes(nodes_of(s)),
      strips(strips_of(s, nodes)) {
  const std::size_t at_once = std::min(tasks, s.batch);
  forward_scratch = s.weights() + at_once * forward_pass(s).task_size(s.channels);
  input_scratch = s.weights() + at_once * input_gradient_pass(s).task_size(s.outputs);
  weight_scratch = transposed_size(s) + nodes * block_size(s) +
                   std::min(tasks, nodes * parts_of_node(*this)) * gradient_memory(*this);
  instruction_set();  // an invalid UNROLL_ISA throws here, not in a task
}

template <class T>
void convolve(const ConvolutionPlan& plan, const T* x, const T* weight, const T* bias, T* y,
              T* scratch) noexcept {
  const ConvolutionShape& s = plan.shape;
  const std::size_t height = s.kernel.height, width = s.kernel.width;
  for (std::size_t i = 0; i < s.outputs * s.channels; ++i)
    transpose(weight + i * height * width, height, width, scratch + i * height * width, height);
  run(forward_pass(s), plan, x, scratch, bias, y, scratch + s.weights());
}

template <class T>
void convolution_input_gradient(const ConvolutionPlan& plan, const T* dy, const T* weight, T* dx,
                                T* scratch) noexcept {
  const ConvolutionShape& s = plan.shape;
  T* to = scratch;  // (C, O, KW, KH), the kernel turned by 180 degrees
  for (std::size_t c = 0; c < s.channels; ++c)
    for (std::size_t o = 0; o < s.outputs; ++o) {
      const T* const from = weight + (o * s.channels + c) * s.kernel.numel();
      for (std::size_t kw = s.kernel.width; kw-- > 0;)
        for (std::size_t kh = s.kernel.height; kh-- > 0;) *to++ = from[kh * s.kernel.width + kw];
    }
  run(input_gradient_pass(s), plan, dy, scratch, static_cast<const T*>(nullptr), dx,
      scratch + s.weights());
}

template <class T>
void convolution_weight_gradient(const ConvolutionPlan& plan, const T* x, const T* dy, T* dweight,
                                 T* dbias, T* scratch) noexcept {
  const ConvolutionShape& s = plan.shape;
  const std::size_t pixels = s.output.numel();
  T* const transposed = scratch;
  T* const blocks = transposed + transposed_size(s);
  T* const memory = blocks + plan.nodes * block_size(s);
  share(s.batch, plan.tasks, [&](std::size_t begin, std::size_t end, std::size_t) {
    for (std::size_t n = begin; n < end; ++n)
      transpose(dy + n * s.outputs * pixels, s.outputs, pixels, transposed + n * s.outputs * pixels,
                s.outputs);
  });
  const WeightGradient<T> gradient(plan, x, transposed, blocks);
  share(plan.nodes * parts_of_node(plan), plan.tasks,
        [&](std::size_t begin, std::size_t end, std::size_t task) {
          for (std::size_t part = begin; part < end; ++part)
            gradient.compute(part, memory + task * gradient_memory(plan));
        });
  add_blocks(blocks, plan.nodes, block_size(s));
  for (std::size_t o = 0; o < s.outputs; ++o)
    for (std::size_t c = 0; c < s.channels; ++c)
      for (std::int64_t kh = 0; kh < s.kernel.height; ++kh)
        for (std::int64_t kw = 0; kw < s.kernel.width; ++kw)
          *dweight++ = blocks[((c * s.kernel.width + kw) * s.kernel.height + kh) * s.outputs + o];
  if (dbias) std::copy_n(blocks + s.weights(), s.outputs, dbias);
}

#define UNROLL_CONVOLUTION(T)                                                                    \
  template void convolve(const ConvolutionPlan&, const T*, const T*, const T*, T*, T*) noexcept; \
  template void convolution_input_gradient(const ConvolutionPlan&, const T*, const T*, T*,       \
                                           T*) noexcept;                                         \
  template void convolution_weight_gradient(const ConvolutionPlan&, const T*, const T*, T*, T*,  \
                                            T*) noexcept;
UNROLL_CONVOLUTION(float)
UNROLL_CONVOLUTION(double)
#undef UNROLL_CONVOLUTION

}  // namespace unroll::kernels
