#include "base/crc32c.hpp"

#include <array>
#include <cstddef>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#elif defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#endif

namespace millrace {

namespace {

using Table = std::array<std::array<std::uint32_t, 256>, 8>;

// Eight bytes a step ("slicing by 8", Kounavis and Berry 2005), for processors without the instruction.
constexpr Table make_table() {
  Table table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78U : 0U);
    table[0][byte] = crc;
  }
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    for (std::size_t slice = 1; slice < 8; ++slice) {
      const auto before = table[slice - 1][byte];
      table[slice][byte] = (before >> 8) ^ table[0][before & 0xff];
    }
  }
  return table;
}

constexpr Table table = make_table();

std::uint64_t load(const char* at) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

[[maybe_unused]] std::uint32_t by_table(const char* at, std::size_t size, std::uint32_t crc) noexcept {
  for (; size >= 8; size -= 8, at += 8) {
    const auto word = load(at) ^ crc;
    crc = 0;
    for (std::size_t slice = 0; slice < 8; ++slice) crc ^= table[7 - slice][(word >> (8 * slice)) & 0xff];
  }
  for (; size > 0; --size, ++at) crc = (crc >> 8) ^ table[0][(crc ^ static_cast<std::uint8_t>(*at)) & 0xff];
  return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t by_instruction(const char* at, std::size_t size,
                                                               std::uint32_t crc) noexcept {
  std::uint64_t wide = crc;
  for (; size >= 8; size -= 8, at += 8) wide = _mm_crc32_u64(wide, load(at));
  crc = static_cast<std::uint32_t>(wide);
  for (; size > 0; --size, ++at) crc = _mm_crc32_u8(crc, static_cast<std::uint8_t>(*at));
  return crc;
}
#elif defined(__ARM_FEATURE_CRC32)
std::uint32_t by_instruction(const char* at, std::size_t size, std::uint32_t crc) noexcept {
  for (; size >= 8; size -= 8, at += 8) crc = __crc32cd(crc, load(at));
  for (; size > 0; --size, ++at) crc = __crc32cb(crc, static_cast<std::uint8_t>(*at));
  return crc;
}
#endif

}  // namespace

std::uint32_t crc32c(std::string_view bytes, std::uint32_t crc) noexcept {
#if defined(__x86_64__)
  static const bool has_instruction = __builtin_cpu_supports("sse4.2") != 0;
  if (!has_instruction) return ~by_table(bytes.data(), bytes.size(), ~crc);
  return ~by_instruction(bytes.data(), bytes.size(), ~crc);
#elif defined(__ARM_FEATURE_CRC32)
  return ~by_instruction(bytes.data(), bytes.size(), ~crc);
#else
  return ~by_table(bytes.data(), bytes.size(), ~crc);
#endif
}

}  // namespace millrace
