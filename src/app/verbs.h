// What the verbs of the program share: how each adds itself to the command line.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "app/exit_code.h"
#include "app/usage_error.h"

namespace unroll::app {

/// The work of the verb that was chosen; set by its callback, done after all parsing.
using Work = std::function<int()>;

void add_train(CLI::App& program, Work& work);
void add_verify(CLI::App& program, Work& work);
void add_eval(CLI::App& program, Work& work);
void add_predict(CLI::App& program, Work& work);
void add_inspect(CLI::App& program, Work& work);
void add_import(CLI::App& program, Work& work);
void add_export(CLI::App& program, Work& work);
void add_data(CLI::App& program, Work& work);
void add_bench(CLI::App& program, Work& work);
void add_signature(CLI::App& program, Work& work);
void add_completion(CLI::App& program, Work& work);
void add_manual(CLI::App& program, Work& work);

/// A subcommand whose help starts with an example.
CLI::App* add_verb(CLI::App& program, const std::string& name, const std::string& description,
                   const std::string& example);

}  // namespace unroll::app
