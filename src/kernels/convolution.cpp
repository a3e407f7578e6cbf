#include "kernels/convolution.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/parallel.h"
#include "kernels/add_blocks.h"
#include "kernels/parallel_gemm.h"
#include "kernels/table.h"
#include "kernels/transpose.h"

namespace unroll::kernels {
namespace {

/// Images per slice, and the largest number of elements in the gradients of all slices.
constexpr std::size_t kImagesPerSlice = 8;
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

/// Writes the copies of one channel. `frame` is memory for framed().
template <class T>
void write_channel(const Pass& p, const T* from, T* to, T* frame) noexcept {
  write_frame(p, from, frame);
  const std::int64_t line = p.framed().width;
  for (std::int64_t kw = 0; kw < p.kernel.width; ++kw) {
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
        write_channel(p, x + (n * p.channels + c) * p.input.numel(), copy + c * p.channel_size(),
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

std::size_t slices_of(const ConvolutionShape& s) {
  std::size_t slices = std::bit_floor(std::max<std::size_t>(1, s.batch / kImagesPerSlice));
  while (slices > 1 && slices * s.weights() > kMostGradients) slices /= 2;
  return slices;
}

/// The size of a slice's gradients: weight as (C, KW, KH, O), then bias.
std::size_t block_size(const ConvolutionShape& s) { return s.weights() + s.outputs; }

std::size_t transposed_size(const ConvolutionShape& s) {
  return s.batch * s.output.numel() * s.outputs;
}

}  // namespace

ConvolutionPlan::ConvolutionPlan(const ConvolutionShape& s)
    : shape(s),
      slices(slices_of(s)),
      tasks(kTasksPerThread * static_cast<std::size_t>(threads_here())) {
  const std::size_t at_once = std::min(tasks, s.batch);
  forward_scratch = s.weights() + at_once * forward_pass(s).task_size(s.channels);
  input_scratch = s.weights() + at_once * input_gradient_pass(s).task_size(s.outputs);
  weight_scratch = transposed_size(s) + slices * block_size(s) +
                   std::min(tasks, slices * (s.channels + 1)) * forward_pass(s).task_size(1);
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
  const Pass p = forward_pass(s);
  const std::size_t pixels = s.output.numel(), kernel = s.kernel.numel();
  T* const transposed = scratch;  // dy as (N, OH OW, O)
  T* const blocks = transposed + transposed_size(s);
  T* const copies = blocks + plan.slices * block_size(s);
  share(s.batch, plan.tasks, [&](std::size_t begin, std::size_t end, std::size_t) {
    for (std::size_t n = begin; n < end; ++n)
      transpose(dy + n * s.outputs * pixels, s.outputs, pixels, transposed + n * s.outputs * pixels,
                s.outputs);
  });
  // Adds a channel of an image to the gradients of its weights: for each column of the kernel, rows
  // kh of the copy times dy.
  const auto add_channel = [&](const T* copy, std::size_t n, T* to, bool first) {
    Gemm<T> g = dense_product(s.kernel.height, pixels, s.outputs, copy,
                              transposed + n * pixels * s.outputs, to);
    g.products[0].a_row = p.row_step();
    for (std::int64_t kw = 0; kw < s.kernel.width; ++kw) {
      g.products[0].a = copy + kw * p.plane();
      g.out = to + kw * s.kernel.height * s.outputs;
      g.init = first ? nullptr : g.out;
      g.init_row = g.out_row;
      table<T>().gemm(g);
    }
  };
  const std::size_t parts = s.channels + 1;  // parts of a slice; the last is the bias
  share(plan.slices * parts, plan.tasks, [&](std::size_t begin, std::size_t end, std::size_t task) {
    T* const copy = copies + task * p.task_size(1);
    T* const frame = copy + p.channel_size() + kStride;
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t slice = i / parts, c = i % parts;
      const std::size_t first = slice * s.batch / plan.slices,
                        last = (slice + 1) * s.batch / plan.slices;
      T* const to = blocks + slice * block_size(s) + c * kernel * s.outputs;
      if (c == s.channels) {
        table<T>().gemm(column_sums((last - first) * pixels, s.outputs,
                                    transposed + first * pixels * s.outputs, to));
        continue;
      }
      for (std::size_t n = first; n < last; ++n) {
        write_channel(p, x + (n * s.channels + c) * s.input.numel(), copy, frame);
        add_channel(copy, n, to, n == first);
      }
    }
  });
  add_blocks(blocks, plan.slices, block_size(s));
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
