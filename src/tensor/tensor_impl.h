// The object that a Tensor points to.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "core/workspace.h"
#include "unroll/tensor/tensor.h"

namespace unroll {

namespace autograd {
class Node;
}

/// A block of memory. It returns to its workspace, or to its foreign owner, with the storage.
class Storage {
 public:
  Storage(std::shared_ptr<Workspace> workspace, std::size_t bytes)
      : workspace_(std::move(workspace)), bytes_(bytes), data_(workspace_->allocate(bytes)) {}
  /// Foreign memory, into which others may write at any time.
  Storage(void* data, std::shared_ptr<void> owner)
      : owner_(std::move(owner)), data_(data), version_(kHandedOut) {}
  ~Storage() {
    if (workspace_) workspace_->deallocate(data_, bytes_);
  }
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;
  std::byte* data() const { return static_cast<std::byte*>(data_); }

  /// A number for the contents, for caches of results that depend on them. Two storages, or one at
  /// two moments, have the same number only with the same contents. 0 means unknown: a pointer was
  /// handed out, and its owner may write at any time.
  std::uint64_t version() noexcept;
  /// To be called after every change of the contents through a pointer that was not handed out.
  void changed() noexcept;
  /// To be called when a pointer to the contents leaves the library.
  void hand_out() noexcept {
    if (version_.load(std::memory_order_relaxed) != kHandedOut)
      version_.store(kHandedOut, std::memory_order_relaxed);
  }

 private:
  static constexpr std::uint64_t kHandedOut = 0, kNew = 1;  // kNew: nobody asked since the change

  std::shared_ptr<Workspace> workspace_;  // null: foreign memory
  std::shared_ptr<void> owner_;
  std::size_t bytes_ = 0;
  void* data_;
  std::atomic<std::uint64_t> version_ = kNew;
};

/// Records whether anybody trains a module's parameter. It serves to find a layer of a model that
/// was made without child(), because parameters() leaves such a layer out. Times are counters; 0
/// means never.
struct Listing {
  std::uint64_t made = 0;  // when it was made; 0: not a module's parameter
  bool listed = false;     // parameters() of its layer, or of a module around it, was called
  // For the model with layers that listed it: when the model was made, and when it first listed its
  // parameters.
  std::uint64_t model_made = 0, model_listed = 0;
};

struct TensorImpl {
  std::shared_ptr<Storage> storage;
  std::size_t offset = 0;  // in elements
  Shape shape;
  std::array<std::int64_t, Shape::max_rank> strides{};
  DType dtype = DType::f32;

  // Differentiation: the node that made this tensor (null for a leaf), and a leaf's gradient. A
  // leaf in a flat parameter buffer has memory for its gradient before it has a gradient.
  bool requires_grad = false;
  std::shared_ptr<autograd::Node> node;
  int output_index = 0;  // index among the node's outputs
  Tensor grad;
  bool has_grad = false;
  Listing listing;
};

/// The workspace of this thread's tensors and nodes.
const std::shared_ptr<Workspace>& current_workspace();

/// make_shared in the current workspace. Once warm, it takes no memory from the system.
template <class T, class... Args>
std::shared_ptr<T> make_pooled(Args&&... args);

/// A standard allocator over a workspace that it keeps alive.
template <class T>
struct WorkspaceAllocator {
  using value_type = T;
  std::shared_ptr<Workspace> workspace;

  explicit WorkspaceAllocator(std::shared_ptr<Workspace> w) : workspace(std::move(w)) {}
  template <class U>
  WorkspaceAllocator(const WorkspaceAllocator<U>& other) : workspace(other.workspace) {}
  T* allocate(std::size_t n) { return static_cast<T*>(workspace->allocate(n * sizeof(T))); }
  void deallocate(T* p, std::size_t n) { workspace->deallocate(p, n * sizeof(T)); }
  template <class U>
  bool operator==(const WorkspaceAllocator<U>& other) const {
    return workspace == other.workspace;
  }
};

template <class T, class... Args>
std::shared_ptr<T> make_pooled(Args&&... args) {
  return std::allocate_shared<T>(WorkspaceAllocator<T>(current_workspace()),
                                 std::forward<Args>(args)...);
}

/// Tensor::data() and Tensor::values() for the library itself. The pointer is not handed out: it
/// must not reach a user. Whoever writes through it says so afterwards (changed()).
template <class T>
T* raw_data(const Tensor& tensor);
template <class T>
std::span<T> raw_values(const Tensor& tensor);

/// Says that the elements of this tensor were changed through raw_data() or raw_values().
void changed(const Tensor& tensor);

/// A view of the same memory with another shape, other strides and an offset (relative, in
/// elements), without history.
Tensor make_view(const Tensor& base, const Shape& shape,
                 const std::array<std::int64_t, Shape::max_rank>& strides, std::int64_t offset);

/// A contiguous view of part of `base`'s memory.
Tensor make_view(const Tensor& base, const Shape& shape, std::int64_t offset);

std::array<std::int64_t, Shape::max_rank> contiguous_strides(const Shape& shape);

/// The dimension counted from the front. Throws ShapeError if it does not exist.
int checked_dim(std::string_view operation, const Tensor& tensor, int dim);

/// Copies elements. Shapes and types are equal; strides may differ.
void copy_into(const Tensor& to, const Tensor& from);

/// to += from, element-wise, for any strides.
void add_into(const Tensor& to, const Tensor& from);

/// Calls f with a null pointer of the element type, float or double; other types throw ShapeError.
template <class F>
decltype(auto) dispatch(std::string_view operation, DType dtype, F&& f);

[[noreturn]] void refuse_dtype(std::string_view operation, DType dtype);

/// dispatch() with integers too.
template <class F>
decltype(auto) dispatch_all(DType dtype, F&& f) {
  if (dtype == DType::f32) return f(static_cast<float*>(nullptr));
  if (dtype == DType::f64) return f(static_cast<double*>(nullptr));
  return f(static_cast<std::int64_t*>(nullptr));
}

template <class F>
decltype(auto) dispatch(std::string_view operation, DType dtype, F&& f) {
  switch (dtype) {
    case DType::f32:
      return f(static_cast<float*>(nullptr));
    case DType::f64:
      return f(static_cast<double*>(nullptr));
    case DType::i64:
      break;
  }
  refuse_dtype(operation, dtype);
}

}  // namespace unroll
