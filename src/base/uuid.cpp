#include "base/uuid.hpp"

#include <array>
#include <cstdint>

#include <sys/random.h>

#include "base/assert.hpp"

namespace millrace {
namespace {

/// Random bytes are drawn in blocks: one system call for many ids.
class RandomBlock {
 public:
  std::uint8_t next() {
    if (next_ == block_.size()) {
      std::size_t filled = 0;
      while (filled < block_.size()) {
        const auto got = getrandom(block_.data() + filled, block_.size() - filled, 0);
        if (got > 0) filled += static_cast<std::size_t>(got);
      }
      next_ = 0;
    }
    return block_[next_++];
  }

 private:
  std::array<std::uint8_t, 250> block_{};  // larger requests could be interrupted
  std::size_t next_ = block_.size();
};

}  // namespace

std::string make_uuid(WallTime now) {
  thread_local RandomBlock random;
  std::array<std::uint8_t, 16> bytes{};
  const auto time = static_cast<std::uint64_t>(now.time_since_epoch().count());
  for (int i = 0; i < 6; ++i) bytes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(time >> (40 - 8 * i));
  for (std::size_t i = 6; i < bytes.size(); ++i) bytes[i] = random.next();
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0f) | 0x70);
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3f) | 0x80);

  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(36);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text.push_back('-');
    text.push_back(digits[bytes[i] >> 4]);
    text.push_back(digits[bytes[i] & 0x0f]);
  }
  return text;
}

}  // namespace millrace
