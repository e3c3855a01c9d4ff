#include "supervise/memory_file.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>

#include <sys/mman.h>

namespace millrace::supervise {
namespace {

constexpr std::size_t text_bytes_max = 16 * 1024 * 1024;

Error failed(const char* what) { return {ErrorCode::unavailable, std::string(what) + ": " + std::strerror(errno)}; }

}  // namespace

Result<Descriptor> make_memory_file(const char* name, std::size_t bytes) {
  Descriptor file{::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING)};
  if (!file) return failed("memfd_create");
  if (::ftruncate(file.get(), static_cast<off_t>(bytes)) != 0) return failed("ftruncate");
  if (::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) return failed("sealing");
  return file;
}

Result<Descriptor> make_sealed_text(const char* name, std::string_view text) {
  Descriptor file{::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING)};
  if (!file) return failed("memfd_create");
  while (!text.empty()) {
    const auto written = ::write(file.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return failed("writing a memory file");
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0)
    return failed("sealing");
  return file;
}

Result<std::string> read_text(const Descriptor& file) {
  std::string text;
  char buffer[16 * 1024];
  for (;;) {
    const auto got = ::pread(file.get(), buffer, sizeof buffer, static_cast<off_t>(text.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed("reading the settings");
    if (got == 0) return text;
    text.append(buffer, static_cast<std::size_t>(got));
    if (text.size() > text_bytes_max) return Error{ErrorCode::too_large, "the settings have more than 16 MiB"};
  }
}

}  // namespace millrace::supervise
