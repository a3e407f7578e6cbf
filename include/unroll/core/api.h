// Visibility of symbols in the shared libraries.
#pragma once

/// Marks a function or class that programs may use. The shared libraries hide all other symbols. A
/// struct of plain data needs no mark.
#define UNROLL_API __attribute__((visibility("default")))
