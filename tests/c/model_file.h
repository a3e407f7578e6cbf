/* A recurrent network by hand, for the tests in C. */
#ifndef UNROLL_TESTS_MODEL_FILE_H
#define UNROLL_TESTS_MODEL_FILE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { I = 2, H = 3, C = 2 };

static const float weight_ih[H][I] = {{0.5f, -1.0f}, {0.25f, 0.75f}, {-0.5f, 0.125f}};
static const float weight_hh[H][H] = {
    {0.25f, -0.5f, 0.125f}, {0.5f, 0.25f, -0.25f}, {-0.125f, 1.0f, 0.5f}};
static const float bias_ih[H] = {0.0625f, -0.25f, 0.5f};
static const float bias_hh[H] = {0.125f, 0.0f, -0.5f};
static const float weight[C][H] = {{1.0f, -0.5f, 0.25f}, {0.5f, 2.0f, -1.0f}};
static const float bias[C] = {0.25f, -0.125f};

/* A file of the model, as docs/interoperability.md describes it. `bidirectional` and `readout` are
 * put into the description as they are. */
static unsigned char* model_file(const char* bidirectional, const char* readout, size_t* size) {
  char header[2048];
  unsigned char* file;
  uint64_t length;
  size_t at, i;
  const struct {
    const void* data;
    size_t size;
  } parts[] = {{weight_ih, sizeof weight_ih}, {weight_hh, sizeof weight_hh},
               {bias_ih, sizeof bias_ih},     {bias_hh, sizeof bias_hh},
               {weight, sizeof weight},       {bias, sizeof bias}};
  snprintf(header, sizeof header,
           "{\"__metadata__\":{\"unroll\":\"{\\\"version\\\":2,\\\"input\\\":{\\\"form\\\":"
           "\\\"rows\\\",\\\"height\\\":0,\\\"width\\\":2,\\\"permutation\\\":null,"
           "\\\"mean\\\":0.0,\\\"std\\\":1.0},\\\"layers\\\":[{\\\"type\\\":\\\"rnn\\\","
           "\\\"name\\\":\\\"rnn\\\",\\\"input_size\\\":2,\\\"hidden_size\\\":3,"
           "\\\"num_layers\\\":1,\\\"nonlinearity\\\":\\\"tanh\\\",\\\"bidirectional\\\":%s,"
           "\\\"bias\\\":true,\\\"layer_norm\\\":false,\\\"zoneout_h\\\":0.0,"
           "\\\"learn_initial_state\\\":false,\\\"readout\\\":\\\"%s\\\"},{\\\"type\\\":"
           "\\\"linear\\\",\\\"name\\\":\\\"fc\\\",\\\"in_features\\\":3,\\\"out_features\\\":2,"
           "\\\"bias\\\":true}],\\\"output\\\":\\\"logits\\\",\\\"dataset\\\":\\\"\\\","
           "\\\"classes\\\":[]}\"},"
           "\"rnn.weight_ih_l0\":{\"dtype\":\"F32\",\"shape\":[3,2],\"data_offsets\":[0,24]},"
           "\"rnn.weight_hh_l0\":{\"dtype\":\"F32\",\"shape\":[3,3],\"data_offsets\":[24,60]},"
           "\"rnn.bias_ih_l0\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[60,72]},"
           "\"rnn.bias_hh_l0\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[72,84]},"
           "\"fc.weight\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[84,108]},"
           "\"fc.bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[108,116]}}",
           bidirectional, readout);
  length = strlen(header);
  *size = 8 + (size_t)length + 116;
  file = malloc(*size);
  for (i = 0; i < 8; ++i) file[i] = (unsigned char)(length >> (8 * i));
  memcpy(file + 8, header, (size_t)length);
  at = 8 + (size_t)length;
  for (i = 0; i < sizeof parts / sizeof *parts; ++i) {
    memcpy(file + at, parts[i].data, parts[i].size);
    at += parts[i].size;
  }
  return file;
}

#endif
