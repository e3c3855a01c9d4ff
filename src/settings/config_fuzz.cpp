// Configuration files and the environment come from outside. Properties: no input crashes, and what was accepted obeys
// the limits of its table.
#include <cstdlib>

#include "settings/resolve.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace millrace::settings;
  const std::string text(reinterpret_cast<const char*>(data), size);
  Inputs inputs;
  inputs.flags = {{"config", {"c"}}, {"env_file", {"e"}}};
  const auto half = text.find('\0');
  inputs.read_file = [&](const std::string& path) -> millrace::Result<std::string> {
    if (path == "c") return text.substr(0, half);
    return half == std::string::npos ? std::string() : text.substr(half + 1);
  };
  inputs.exists = [](const std::string&) { return false; };
  const auto result = resolve(inputs);
  if (!result.ok()) return 0;
  const auto& settings = result.settings;
  if (settings.max_retries < 0 || settings.max_retries > 1000 || settings.workers < 0 || settings.workers > 4096)
    std::abort();
  if (settings.lease.count() < 1000 || settings.backoff_jitter < 0 || settings.backoff_jitter > 1) std::abort();
  if (settings.listen.empty() || settings.durability.empty()) std::abort();
  return 0;
}
