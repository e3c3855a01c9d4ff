#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <thread>
#include <unistd.h>

#include <sys/stat.h>

#include "settings/resolve.hpp"

extern char** environ;  // NOLINT: POSIX declares it nowhere

namespace millrace::settings {
namespace {

constexpr std::size_t file_bytes_max = 1024 * 1024;

Error unreadable(const std::string& path, const char* why) {
  return {ErrorCode::not_found, "cannot read " + path + ": " + why, {}};
}

Result<std::string> read_file(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return unreadable(path, std::strerror(errno));
  std::string text;
  char buffer[8192];
  ssize_t count = 0;
  while ((count = ::read(descriptor, buffer, sizeof buffer)) > 0 && text.size() <= file_bytes_max) {
    text.append(buffer, static_cast<std::size_t>(count));
  }
  const int error = errno;
  ::close(descriptor);
  if (count < 0) return unreadable(path, std::strerror(error));
  if (text.size() > file_bytes_max) return unreadable(path, "larger than 1 MiB");
  return text;
}

}  // namespace

Inputs process_inputs(Scope scope, Flags flags) {
  Inputs inputs;
  inputs.scope = scope;
  inputs.flags = std::move(flags);
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (equals != std::string_view::npos) inputs.environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  inputs.read_file = read_file;
  inputs.exists = [](const std::string& path) { return ::access(path.c_str(), F_OK) == 0; };
  inputs.hardware_threads = std::thread::hardware_concurrency();
  return inputs;
}

}  // namespace millrace::settings
