/* fork() after threads were used: every child runs the model and ends by itself. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model_file.h"
#include "unroll/c.h"

/* The thread sanitizer ends a child that starts threads, unless it is told otherwise. */
const char* __tsan_default_options(void);
const char* __tsan_default_options(void) { return "die_after_fork=0"; }

enum { N = 512, T = 20 };

static int failures = 0;
static unroll_model* model;
static float in[N * T * I], expected[N * C];

static void child(const char* what, void (*work)(void)) {
  int status = 0;
  const pid_t id = fork();
  if (id == 0) {
    alarm(60); /* ends one that hangs */
    work();
    _exit(1); /* work ends the child itself, with 7 */
  }
  waitpid(id, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 7) return;
  ++failures;
  if (WIFSIGNALED(status))
    printf("%s: signal %d\n", what, WTERMSIG(status));
  else
    printf("%s: exit status %d\n", what, WEXITSTATUS(status));
}

static void run(void) {
  static float out[N * C];
  if (unroll_model_run(model, in, N * T * I, N, T, NULL, out, N * C) != UNROLL_OK) _exit(2);
  if (memcmp(out, expected, sizeof out) != 0) _exit(3);
}

static void set(int threads) {
  if (unroll_set_num_threads(threads) != UNROLL_OK) _exit(4);
}

static void by_exit(void) { exit(7); }
static void by_underscore_exit(void) { _exit(7); }
static void run_and_exit(void) { run(), exit(7); }
static void set_and_leave(void) { set(2), _exit(7); }
static void set_and_exit(void) { set(2), run(), exit(7); }
static void run_and_set(void) { run(), set(3), run(), set(0), run(), _exit(7); }
static void free_model(void) { unroll_model_free(model), exit(7); }
static void stream(void) {
  float out[C];
  unroll_stream* const made = unroll_stream_new(model, 1);
  if (!made || unroll_stream_step(made, in, I, out, C) != UNROLL_OK) _exit(5);
  unroll_stream_free(made);
  exit(7);
}
static void grandchild(void) {
  run();
  failures = 0;
  child("a child of a child", run_and_exit);
  run();
  exit(failures ? 6 : 7);
}

int main(void) {
  size_t size;
  unsigned char* const file = model_file("false", "last", &size);
  int i;
  model = unroll_model_load_memory(file, size);
  free(file);
  if (!model || unroll_set_num_threads(4) != UNROLL_OK) return 1;
  for (i = 0; i < N * T * I; ++i) in[i] = (float)(i % 17) / 17;
  if (unroll_model_run(model, in, N * T * I, N, T, NULL, expected, N * C) != UNROLL_OK) return 1;
  setvbuf(stdout, NULL, _IONBF, 0); /* or a child's exit() writes it once more */
  child("exit", by_exit);
  child("_exit", by_underscore_exit);
  child("run, exit", run_and_exit);
  child("set_num_threads, _exit", set_and_leave);
  child("set_num_threads, run, exit", set_and_exit);
  child("run, set_num_threads", run_and_set);
  child("model_free, exit", free_model);
  child("stream, exit", stream);
  child("child of a child", grandchild);
  run();
  unroll_model_free(model);
  printf("%d failure%s\n", failures, failures == 1 ? "" : "s");
  return failures != 0;
}
