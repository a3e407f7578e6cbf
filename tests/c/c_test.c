/* The C interface from C: a recurrent network written by hand, against its equations in plain C. */
#include "unroll/c.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model_file.h"

enum { T = 5, N = 2 };

static int failures = 0;

#define EXPECT(condition)                                                \
  do {                                                                   \
    if (!(condition)) {                                                  \
      printf("%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);   \
      printf("  last error: %s\n", unroll_last_error());                 \
      ++failures;                                                        \
    }                                                                    \
  } while (0)

/* One step: h = tanh(W_ih x + b_ih + W_hh h + b_hh), y = W h + b. */
static void reference_step(const float* x, double* h, double* y) {
  double next[H];
  int i, j;
  for (i = 0; i < H; ++i) {
    double sum = (double)bias_ih[i] + bias_hh[i];
    for (j = 0; j < I; ++j) sum += (double)weight_ih[i][j] * x[j];
    for (j = 0; j < H; ++j) sum += weight_hh[i][j] * h[j];
    next[i] = tanh(sum);
  }
  memcpy(h, next, sizeof next);
  for (i = 0; i < C; ++i) {
    y[i] = bias[i];
    for (j = 0; j < H; ++j) y[i] += weight[i][j] * h[j];
  }
}

static float input_at(int n, int t, int i) { return (float)((n * 31 + t * 7 + i * 3) % 11 - 5) / 4; }

static void whole_sequences(const unroll_model* model) {
  float in[N][T][I], out[N][C];
  const size_t lengths[N] = {T, 3};
  int n, t, i, c;
  for (n = 0; n < N; ++n)
    for (t = 0; t < T; ++t)
      for (i = 0; i < I; ++i) in[n][t][i] = input_at(n, t, i);
  EXPECT(unroll_model_run(model, in[0][0], N * T * I, N, T, lengths, out[0], N * C) == UNROLL_OK);
  for (n = 0; n < N; ++n) {
    double h[H] = {0}, y[C];
    for (t = 0; t < (int)lengths[n]; ++t) reference_step(in[n][t], h, y);
    for (c = 0; c < C; ++c) EXPECT(fabs(out[n][c] - y[c]) < 1e-6);
  }

  EXPECT(unroll_model_run(model, in[0][0], N * T * I - 1, N, T, NULL, out[0], N * C) ==
         UNROLL_ERROR_SHAPE);
  EXPECT(strstr(unroll_last_error(), "19 inputs") != NULL);
  EXPECT(unroll_model_run(model, in[0][0], N * T * I, N, T, NULL, out[0], C) == UNROLL_ERROR_SHAPE);
  EXPECT(unroll_model_run(model, NULL, N * T * I, N, T, NULL, out[0], N * C) == UNROLL_ERROR_VALUE);
  EXPECT(strstr(unroll_last_error(), "input is NULL") != NULL);
  EXPECT(unroll_model_run(NULL, in[0][0], N * T * I, N, T, NULL, out[0], N * C) ==
         UNROLL_ERROR_VALUE);
  EXPECT(unroll_model_run(model, in[0][0], N * T * I, (size_t)-1, (size_t)-1, NULL, out[0], N * C) ==
         UNROLL_ERROR_SHAPE);
}

static void streams(const unroll_model* model) {
  double h[H] = {0}, y[C], branched_h[H], branched_y[C];
  float x[I], out[C], block_in[T][I], block_out[T][C];
  unroll_stream *stream = unroll_stream_new(model, 1), *branch = NULL;
  int t, i, c;
  EXPECT(stream != NULL);
  for (t = 0; t < T; ++t) {
    for (i = 0; i < I; ++i) x[i] = input_at(0, t, i);
    EXPECT(unroll_stream_step(stream, x, I, out, C) == UNROLL_OK);
    reference_step(x, h, y);
    for (c = 0; c < C; ++c) EXPECT(fabs(out[c] - y[c]) < 1e-6);
  }
  branch = unroll_stream_copy(stream);
  EXPECT(branch != NULL);
  memcpy(branched_h, h, sizeof h);
  x[0] = 3, x[1] = -2;
  EXPECT(unroll_stream_step(branch, x, I, NULL, 0) == UNROLL_OK);
  EXPECT(unroll_stream_step(branch, x, I, out, C) == UNROLL_OK);
  reference_step(x, branched_h, branched_y);
  reference_step(x, branched_h, branched_y);
  for (c = 0; c < C; ++c) EXPECT(fabs(out[c] - branched_y[c]) < 1e-6);
  x[0] = -1, x[1] = 0.5f;
  EXPECT(unroll_stream_step(stream, x, I, out, C) == UNROLL_OK);
  reference_step(x, h, y);
  for (c = 0; c < C; ++c) EXPECT(fabs(out[c] - y[c]) < 1e-6);

  EXPECT(unroll_stream_step(stream, x, I, out, C + 1) == UNROLL_ERROR_SHAPE);
  EXPECT(unroll_stream_step(stream, x, I, NULL, C) == UNROLL_ERROR_VALUE);
  EXPECT(unroll_stream_step(NULL, x, I, out, C) == UNROLL_ERROR_VALUE);
  EXPECT(unroll_stream_reset_one(stream, 1) == UNROLL_ERROR_VALUE);
  EXPECT(unroll_stream_reset(stream) == UNROLL_OK);
  memset(h, 0, sizeof h);
  for (t = 0; t < T; ++t)
    for (i = 0; i < I; ++i) block_in[t][i] = input_at(1, t, i);
  EXPECT(unroll_stream_process(stream, block_in[0], T * I, block_out[0], T * C, T) == UNROLL_OK);
  for (t = 0; t < T; ++t) {
    reference_step(block_in[t], h, y);
    for (c = 0; c < C; ++c) EXPECT(fabs(block_out[t][c] - y[c]) < 1e-6);
  }
  EXPECT(unroll_stream_process(stream, block_in[0], T * I, block_out[0], T * C, (size_t)-1) ==
         UNROLL_ERROR_SHAPE);
  unroll_stream_free(branch);
  unroll_stream_free(stream);
}

/* Two at once, of which one begins again. */
static void two_at_once(const unroll_model* model) {
  double h[N][H] = {{0}}, y[N][C];
  unroll_stream* stream = unroll_stream_new(model, N);
  int t, n, i, c;
  for (t = 0; t < T; ++t) {
    float in[N][I], out[N][C];
    if (t == 2) {
      EXPECT(unroll_stream_reset_one(stream, 1) == UNROLL_OK);
      memset(h[1], 0, sizeof h[1]);
    }
    for (n = 0; n < N; ++n)
      for (i = 0; i < I; ++i) in[n][i] = input_at(n, t, i);
    EXPECT(unroll_stream_step(stream, in[0], N * I, out[0], N * C) == UNROLL_OK);
    for (n = 0; n < N; ++n) {
      reference_step(in[n], h[n], y[n]);
      for (c = 0; c < C; ++c) EXPECT(fabs(out[n][c] - y[n][c]) < 1e-6);
    }
  }
  unroll_stream_free(stream);
  EXPECT(unroll_stream_new(model, 0) == NULL);
  EXPECT(unroll_stream_new(NULL, 1) == NULL);
  EXPECT(unroll_stream_copy(NULL) == NULL);
}

static void refused(const unsigned char* file, size_t size) {
  const char* path = "c_test.safetensors";
  unsigned char* other;
  unroll_model* model;
  size_t other_size, i;
  FILE* out;

  EXPECT(unroll_model_load("no/such/file") == NULL);
  EXPECT(strstr(unroll_last_error(), "no/such/file") != NULL);
  EXPECT(unroll_model_load(NULL) == NULL);
  EXPECT(unroll_model_load_memory(NULL, 0) == NULL);
  for (i = 0; i < size; i += 7) EXPECT(unroll_model_load_memory(file, i) == NULL);
  EXPECT(strstr(unroll_last_error(), "memory") != NULL);

  out = fopen(path, "wb");
  EXPECT(out && fwrite(file, 1, size, out) == size && fclose(out) == 0);
  model = unroll_model_load(path);
  EXPECT(model != NULL);
  whole_sequences(model);
  unroll_model_free(model);
  remove(path);

  /* Of both directions the weights of one are missing: all that are get named. */
  other = model_file("true", "last", &other_size);
  EXPECT(unroll_model_load_memory(other, other_size) == NULL);
  EXPECT(strstr(unroll_last_error(), "[") == unroll_last_error());
  free(other);

  EXPECT(unroll_set_num_threads(-1) == UNROLL_ERROR_VALUE);
  EXPECT(unroll_set_num_threads(2) == UNROLL_OK);
  EXPECT(unroll_model_inputs(NULL) == 0 && unroll_model_outputs(NULL) == 0);
  unroll_model_free(NULL);
  unroll_stream_free(NULL);
}

int main(void) {
  size_t size;
  unsigned char* file = model_file("false", "last", &size);
  unroll_model* model;
  int major = -1, minor = -1, patch = -1;
  EXPECT(strcmp(unroll_last_error(), "") == 0);
  EXPECT(sscanf(unroll_version(), "%d.%d.%d", &major, &minor, &patch) == 3);
  EXPECT(unroll_numerics_revision() >= 3);
  model = unroll_model_load_memory(file, size);
  EXPECT(model != NULL);
  EXPECT(unroll_model_inputs(model) == I && unroll_model_outputs(model) == C);
  EXPECT(!unroll_model_gives_sequences(model) && unroll_model_can_stream(model));
  whole_sequences(model);
  streams(model);
  two_at_once(model);
  refused(file, size);
  {
    /* A stream keeps what it needs of its model. */
    unroll_stream* stream = unroll_stream_new(model, 1);
    float x[I] = {1, 2}, out[C];
    unroll_model_free(model);
    EXPECT(unroll_stream_step(stream, x, I, out, C) == UNROLL_OK);
    unroll_stream_free(stream);
  }
  free(file);
  file = model_file("false", "every_step", &size);
  model = unroll_model_load_memory(file, size);
  EXPECT(unroll_model_gives_sequences(model) == 1);
  unroll_model_free(model);
  free(file);
  printf("%d failure%s\n", failures, failures == 1 ? "" : "s");
  return failures != 0;
}
