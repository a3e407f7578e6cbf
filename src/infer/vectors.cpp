#include "infer/vectors.h"

#include <algorithm>

#include "core/overloaded.h"
#include "infer/row_stages.h"

namespace unroll::infer {

template <class T>
[[gnu::cold]] VectorRun<T>::VectorRun(const Compiled<T>& model, std::size_t first, std::size_t rows)
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

/// Runs a stage. Returns false if the stage changes nothing.
template <class T>
bool VectorRun<T>::run(const ImageStage<T>& stage, std::size_t rows, const T* in, T* out) {
  return std::visit(Overloaded{[&](const Convolve<T>& c) {
                                 kernels::ConvolutionShape shape = c.shape;
                                 shape.batch = rows;
                                 // The plan depends on the current number of threads.
                                 const kernels::ConvolutionPlan plan(shape);
                                 if (scratch_.size() < plan.forward_scratch)
                                   scratch_.resize(plan.forward_scratch);
                                 kernels::convolve(plan, in, c.weight.data(),
                                                   c.bias.empty() ? nullptr : c.bias.data(), out,
                                                   scratch_.data());
                                 return true;
                               },
                               [&](const Pool& p) {
                                 kernels::max_pool<T>(rows * p.channels, p.rows, p.columns, in, out,
                                                      nullptr);
                                 return true;
                               },
                               [](const Flatten&) { return false; }},
                    stage);
}

template <class T>
const T* VectorRun<T>::operator()(const T* in, std::size_t rows) {
  for (std::size_t i = first_; i < model_.stages.size(); ++i) {
    T* const out = one_.data();
    if (!kept_[i].empty()) std::copy_n(in, rows * model_.size_of(i), kept_[i].data());
    const bool moved = std::visit(
        // the first two read sequences, so they are not among these stages
        Overloaded{[](const Recurrent<T>&) { return false; },
                   [](const StepConvolution<T>&) { return false; },
                   [&](const RowStage<T>& stage) {
                     auto block =
                         block_of_rows(rows, in, model_.size_of(i), out, model_.size_of(i + 1));
                     block.kept = kept_;
                     block.on_all_threads = true;
                     run_rows(stage, block);
                     return true;
                   },
                   [&](const ImageStage<T>& stage) { return run(stage, rows, in, out); }},
        model_.stages[i]);
    if (!moved) continue;
    in = out;
    one_.swap(other_);
  }
  return in;
}

template class VectorRun<float>;
template class VectorRun<double>;

}  // namespace unroll::infer
