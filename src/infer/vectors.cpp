#include "infer/vectors.h"

#include <algorithm>

#include "core/parallel.h"
#include "kernels/parallel_gemm.h"

namespace unroll::infer {

template <class T>
void activate(spec::Activation function, const T* in, T* out, std::size_t count) noexcept {
  switch (function) {
    case spec::Activation::relu:
      for (std::size_t i = 0; i < count; ++i) out[i] = in[i] < 0 ? T{0} : in[i];
      return;
    case spec::Activation::tanh:
      return kernels::table<T>().tanh(in, out, count);
    case spec::Activation::sigmoid:
      for (std::size_t i = 0; i < count; ++i) out[i] = -in[i];
      kernels::table<T>().exp(out, out, count);
      for (std::size_t i = 0; i < count; ++i) out[i] = 1 / (1 + out[i]);
      return;
  }
}

template <class T>
void scale(const Scale<T>& s, const T* in, T* out) noexcept {
  for (std::size_t j = 0; j < s.mean.size(); ++j) out[j] = (in[j] - s.mean[j]) / s.std[j];
}

template <class T>
void add(const T* x, const T* fx, T* out, std::size_t count) noexcept {
  for (std::size_t i = 0; i < count; ++i) out[i] = x[i] + fx[i];
}

template <class T>
kernels::Gemm<T> product_of(const Linear<T>& linear, std::size_t rows, const T* in,
                            std::ptrdiff_t in_row, T* out, std::ptrdiff_t out_row) noexcept {
  auto g =
      kernels::dense_product<T>(rows, linear.inputs, linear.outputs, in, linear.weight.data(), out);
  g.products[0].a_row = in_row;
  g.out_row = out_row;
  if (!linear.bias.empty()) g.init = linear.bias.data();
  return g;
}

template <class T>
VectorRun<T>::VectorRun(const Compiled<T>& model, std::size_t first, std::size_t rows)
    : model_(model), first_(first) {
  one_.resize(rows * row_size(model, first));
  other_.resize(one_.size());
  kept_.resize(model.stages.size());
  for (std::size_t i = first; i < kept_.size(); ++i)
    if (model.is_kept(i)) kept_[i].resize(rows * model.size_of(i));
}

template <class T>
std::size_t VectorRun<T>::row_size(const Compiled<T>& model, std::size_t first) {
  std::size_t largest = 1;
  for (std::size_t i = first; i < model.stages.size(); ++i)
    largest = std::max(largest, model.size_of(i + 1));
  return largest;
}

template <class T>
const T* VectorRun<T>::operator()(const T* in, std::size_t rows) {
  struct Through {
    VectorRun& run;
    const T* in;
    T* out;
    std::size_t rows, size_in, size_out;

    bool operator()(const Recurrent<T>&) const { return false; }  // reads sequences
    bool operator()(const Linear<T>& l) const {
      kernels::parallel_gemm(product_of(l, rows, in, static_cast<std::ptrdiff_t>(size_in), out,
                                        static_cast<std::ptrdiff_t>(size_out)));
      return true;
    }
    bool operator()(const Activate& a) const {
      constexpr std::size_t kPiece = std::size_t{1} << 14;
      parallel_pieces(rows * size_out, kPiece, [&](std::size_t begin, std::size_t end) {
        activate(a.function, in + begin, out + begin, end - begin);
      });
      return true;
    }
    bool operator()(const Convolve<T>& c) const {
      kernels::ConvolutionShape shape = c.shape;
      shape.batch = rows;
      const kernels::ConvolutionPlan plan(shape);  // as many tasks as there are threads now
      if (run.scratch_.size() < plan.forward_scratch) run.scratch_.resize(plan.forward_scratch);
      kernels::convolve(plan, in, c.weight.data(), c.bias.empty() ? nullptr : c.bias.data(), out,
                        run.scratch_.data());
      return true;
    }
    bool operator()(const Pool& p) const {
      kernels::max_pool<T>(rows * p.channels, p.rows, p.columns, in, out, nullptr);
      return true;
    }
    bool operator()(const Flatten&) const { return false; }  // the same numbers
    bool operator()(const Scale<T>& s) const {
      for (std::size_t n = 0; n < rows; ++n) scale(s, in + n * size_in, out + n * size_out);
      return true;
    }
    bool operator()(const Residual& r) const {
      add(run.kept_[r.from].data(), in, out, rows * size_out);
      return true;
    }
  };
  for (std::size_t i = first_; i < model_.stages.size(); ++i) {
    T* const out = one_.data();
    if (!kept_[i].empty()) std::copy_n(in, rows * model_.size_of(i), kept_[i].data());
    if (std::visit(Through{*this, in, out, rows, model_.size_of(i), model_.size_of(i + 1)},
                   model_.stages[i])) {
      in = out;
      one_.swap(other_);
    }
  }
  return in;
}

#define UNROLL_INSTANTIATE(T)                                                                   \
  template void activate(spec::Activation, const T*, T*, std::size_t) noexcept;                 \
  template void scale(const Scale<T>&, const T*, T*) noexcept;                                  \
  template void add(const T*, const T*, T*, std::size_t) noexcept;                              \
  template kernels::Gemm<T> product_of(const Linear<T>&, std::size_t, const T*, std::ptrdiff_t, \
                                       T*, std::ptrdiff_t) noexcept;                            \
  template class VectorRun<T>;
UNROLL_INSTANTIATE(float)
UNROLL_INSTANTIATE(double)
#undef UNROLL_INSTANTIATE

}  // namespace unroll::infer
