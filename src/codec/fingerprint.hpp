#pragma once

#include <cstdint>
#include <string_view>

namespace millrace {

/// 128 bits of a hash over type, queue and payload: tells whether two submissions say the same.
struct Fingerprint {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
};

Fingerprint fingerprint_of(std::string_view type, std::string_view queue, std::string_view payload);

}  // namespace millrace
