// Tasks run in PyTorch's OpenMP team, so that two pools of threads don't compete for the cores.
#include "openmp.h"

#include <dlfcn.h>
#include <link.h>

#include <string>
#include <string_view>
#include <type_traits>

#include "bindings.h"
#include "core/parallel.h"

namespace unroll::python {
namespace {

// at::get_num_threads(), which gives a new thread the number that the program has set. The others
// are of the OpenMP library that PyTorch is linked with: GNU's, LLVM's or Intel's. All have them.
int (*torch_threads)() = nullptr;
int (*in_parallel)() = nullptr;
void (*run_parallel)(void (*)(void*), void*, unsigned threads, unsigned flags) = nullptr;

thread_local int alone = 0;  // scopes of OnOneThread

int team_threads() noexcept { return alone > 0 || in_parallel() ? 1 : torch_threads(); }

void run_in_openmp(int threads, void (*member)(void*), void* object) noexcept {
  run_parallel(member, object, static_cast<unsigned>(threads), 0);
}

constexpr Executor kTeam{&team_threads, &run_in_openmp};

/// A loaded library whose path has this in it; null if there is none. It is never closed.
void* loaded_library(std::string_view name) {
  struct Search {
    std::string_view name;
    std::string path;
  } search{name, {}};
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* object) {
        auto& wanted = *static_cast<Search*>(object);
        const std::string_view path = info->dlpi_name;
        if (path.find(wanted.name) == path.npos) return 0;
        wanted.path = path;
        return 1;
      },
      &search);
  // Not inside of the walk, which holds a lock of the loader.
  return search.path.empty() ? nullptr : dlopen(search.path.c_str(), RTLD_LAZY | RTLD_NOLOAD);
}

/// Looks in PyTorch's own library and those that it is linked with: another package may have
/// brought an OpenMP of its own.
bool follow_torch() {
  void* const torch = loaded_library("/libtorch_cpu.so");
  if (!torch) return false;
  const auto find = [&](const char* name, auto& function) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(torch, name));
    return function != nullptr;
  };
  if (!find("_ZN2at15get_num_threadsEv", torch_threads) || !find("omp_in_parallel", in_parallel) ||
      !find("GOMP_parallel", run_parallel))
    return false;
  set_executor(&kTeam);
  return true;
}

}  // namespace

OnOneThread::OnOneThread(bool wanted) noexcept : wanted_(wanted) { alone += wanted_; }
OnOneThread::~OnOneThread() { alone -= wanted_; }

void bind_openmp(nanobind::module_& module) {
  module.def("follow_torch", &follow_torch);
  module.def("unfollow_torch", [] { set_executor(nullptr); });
}

}  // namespace unroll::python
