#pragma once

#include <string>
#include <vector>

#include "backends/redis/connection.hpp"

namespace millrace::redis {

/// A Lua script that servers keep under its hash.
class Script {
 public:
  /// source  begins with a shebang, `#!lua flags=…`: without one a script may touch keys that it did not declare (F42)
  ///         and starts although memory is short (F41)
  explicit Script(std::string source);

  const std::string& source() const noexcept { return source_; }
  /// SHA-1 of the source, in hexadecimal: the name under which a server knows it.
  const std::string& hash() const noexcept { return hash_; }

 private:
  std::string source_;
  std::string hash_;
};

struct ScriptCall {
  std::vector<std::string> keys = {};  // all that the script touches
  std::vector<std::string> arguments = {};
};

/// Runs `script` once. A server that does not know it (restarted, failed over, flushed; F44) is taught and asked again:
/// the refusal says that nothing happened. Answers as `Connection::call` does.
void run(const std::shared_ptr<Connection>& connection, const Script& script, ScriptCall call,
         Connection::Answer answer);

}  // namespace millrace::redis
