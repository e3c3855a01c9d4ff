#pragma once

#include <cstdint>
#include <string_view>

namespace millrace {

/// CRC-32C (Castagnoli, RFC 3720) of `bytes`, continuing from `crc` of the bytes before them, so that
/// `crc32c(b, crc32c(a)) == crc32c(a + b)`. With the processor's own instruction where there is one (~8 GB/s).
std::uint32_t crc32c(std::string_view bytes, std::uint32_t crc = 0) noexcept;

}  // namespace millrace
