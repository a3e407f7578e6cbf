// Compiles the cells for every instruction set.

#include "core/simd_targets.h"
// Must come before Highway's headers.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cells.cpp"
#include <hwy/foreach_target.h>
// After foreach_target, which includes this file once for each target.
#include <hwy/highway.h>

#include "kernels/cells/gru_cell-inl.h"
#include "kernels/cells/lstm_cell-inl.h"
#include "kernels/cells/rnn_cell-inl.h"
#include "kernels/targets-inl.h"

HWY_BEFORE_NAMESPACE();
namespace unroll::HWY_NAMESPACE {

template <class T>
const kernels::CellKernels<T> CellTable<T>::cells[] = {
    {&rnn_forward<Relu, T>, of_training(&rnn_backward<Relu, T>)},
    {&rnn_forward<Tanh, T>, of_training(&rnn_backward<Tanh, T>)},
    {&lstm_forward<T>, of_training(&lstm_backward<T>)},
    {&gru_forward<T>, of_training(&gru_backward<T>)},
};

template struct CellTable<float>;
template struct CellTable<double>;

}  // namespace unroll::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
