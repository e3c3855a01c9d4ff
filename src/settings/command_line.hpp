#pragma once

#include "settings/resolve.hpp"

namespace CLI {  // NOLINT(readability-identifier-naming): a library's name
class App;
}

namespace millrace::settings {

/// Gives `app` the flags of every setting of `scope`. While `app` is parsed they only note what was written into
/// `flags`, which must live until then; what it means is the business of `resolve`. Booleans have `--x` and `--no-x`.
void add_flags(CLI::App& app, Scope scope, Flags& flags);

}  // namespace millrace::settings
