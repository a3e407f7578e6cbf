// The verbs of the program: each adds itself to the command line.
#pragma once

#include "app/exit_code.h"
#include "app/usage_error.h"
#include "app/verb.h"

namespace unroll::app {

void add_train(Verb& program);
void add_verify(Verb& program);
void add_eval(Verb& program);
void add_predict(Verb& program);
void add_inspect(Verb& program);
void add_import(Verb& program);
void add_export(Verb& program);
void add_data(Verb& program);
void add_bench(Verb& program);
void add_signature(Verb& program);
void add_completion(Verb& program);
void add_manual(Verb& program);

}  // namespace unroll::app
