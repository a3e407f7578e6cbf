// The commands of the program: each adds itself to the command line.
#pragma once

#include "app/command.h"
#include "app/exit_code.h"
#include "app/usage_error.h"

namespace unroll::app {

void add_train(Command& program);
void add_verify(Command& program);
void add_report(Command& program);
void add_eval(Command& program);
void add_predict(Command& program);
void add_inspect(Command& program);
void add_import(Command& program);
void add_export(Command& program);
void add_data(Command& program);
void add_runs(Command& program);
void add_models(Command& program);
void add_bench(Command& program);
void add_signature(Command& program);
void add_completion(Command& program);
void add_manual(Command& program);
void add_help(Command& program);  // the last: it knows the commands before it

}  // namespace unroll::app
