// Several functions as one, for std::visit. A missing kind does not compile.
#pragma once

namespace unroll {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;  // needed by clang 14

}  // namespace unroll
