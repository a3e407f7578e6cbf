/* unload_test LIBRARY: a shared library whose threads were used is unloaded; fork() still works, and
 * so does loading it again. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int child_works(void) {
  int status = 0;
  const pid_t id = fork();
  if (id == 0) {
    alarm(60);
    exit(7);
  }
  waitpid(id, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 7;
}

int main(int count, char** arguments) {
  int round;
  if (count != 2) return 2;
  for (round = 0; round < 3; ++round) {
    int (*set_num_threads)(int);
    void* const library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
    if (!library) return printf("%s\n", dlerror()), 1;
    *(void**)&set_num_threads = dlsym(library, "unroll_set_num_threads");
    if (!set_num_threads || set_num_threads(4) != 0) return printf("no threads\n"), 1;
    if (!child_works()) return printf("a child fails while the library is there\n"), 1;
    if (dlclose(library) != 0) return printf("%s\n", dlerror()), 1;
    if (!child_works()) return printf("a child fails after the library was unloaded\n"), 1;
  }
  printf("all right\n");
  return 0;
}
