#include "observe/descriptor_writer.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <poll.h>
#include <unistd.h>

namespace millrace::log {

bool DescriptorWriter::write(std::string_view text) noexcept {
  while (!text.empty()) {
    if (!wait_until_writable()) return false;
    // A pipe that is writable takes this much without blocking.
    const auto count = ::write(descriptor_, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
    if (count > 0) {
      text.remove_prefix(static_cast<std::size_t>(count));
    } else if (count == 0 || (errno != EINTR && errno != EAGAIN)) {
      return false;
    }
  }
  return true;
}

void DescriptorWriter::give_up_at(std::chrono::steady_clock::time_point time) noexcept {
  give_up_at_ = std::chrono::nanoseconds(time.time_since_epoch()).count();
}

bool DescriptorWriter::wait_until_writable() noexcept {
  constexpr int recheck_ms = 50;  // how late `give_up_at` may be noticed
  while (true) {
    pollfd entry{descriptor_, POLLOUT, 0};
    const auto ready = ::poll(&entry, 1, recheck_ms);
    if (ready > 0) return (entry.revents & (POLLNVAL | POLLERR)) == 0;
    if (ready < 0 && errno != EINTR) return false;
    const auto now = std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
    if (now >= give_up_at_.load()) return false;
  }
}

}  // namespace millrace::log
