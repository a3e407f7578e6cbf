// Several functions as one, for std::visit: a kind that none of them takes does not compile.
#pragma once

namespace unroll {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;  // clang 14 can't do without

}  // namespace unroll
