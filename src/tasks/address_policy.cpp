#include "tasks/address_policy.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include <netinet/in.h>

namespace millrace::tasks {
namespace {

struct Range {
  std::array<std::uint8_t, 16> prefix;
  unsigned bits;
  std::string_view kind;
};

// The longest prefix need not come first: every row refuses, so the first match only chooses the word.
constexpr Range v4_refused[] = {
    {{0}, 8, "this network"},
    {{10}, 8, "private"},
    {{100, 64}, 10, "carrier-grade NAT"},
    {{127}, 8, "loopback"},
    {{169, 254}, 16, "link-local"},
    {{172, 16}, 12, "private"},
    {{192, 0, 0}, 24, "protocol assignments"},
    {{192, 0, 2}, 24, "documentation"},
    {{192, 88, 99}, 24, "6to4 relay"},
    {{192, 168}, 16, "private"},
    {{198, 18}, 15, "benchmarking"},
    {{198, 51, 100}, 24, "documentation"},
    {{203, 0, 113}, 24, "documentation"},
    {{224}, 4, "multicast"},
    {{240}, 4, "reserved"},
};

constexpr Range v6_refused[] = {
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128, "loopback"},
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 128, "unspecified"},
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96, "IPv4-mapped"},
    {{0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96, "IPv4-translated"},
    {{0}, 96, "IPv4-compatible"},
    {{0, 0x64, 0xff, 0x9b}, 96, "NAT64"},
    {{0, 0x64, 0xff, 0x9b, 0, 1}, 48, "NAT64"},
    {{0xfc}, 7, "private"},
    {{0xfe, 0x80}, 10, "link-local"},
    {{0xfe, 0xc0}, 10, "site-local"},
    {{0xff}, 8, "multicast"},
    {{0x20, 0x01, 0, 0}, 32, "Teredo"},
    {{0x20, 0x01, 0x0d, 0xb8}, 32, "documentation"},
    {{0x20, 0x01}, 23, "protocol assignments"},
    {{0x20, 0x02}, 16, "6to4"},
    {{0x3f, 0xfe}, 16, "6bone"},
    {{0x3f, 0xff}, 20, "documentation"},
};
constexpr Range v6_global_unicast{{0x20}, 3, ""};

bool inside(const std::uint8_t* address, const Range& range) noexcept {
  const std::size_t whole = range.bits / 8;
  if (std::memcmp(address, range.prefix.data(), whole) != 0) return false;
  const unsigned rest = range.bits % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xff << (8 - rest));
  return ((address[whole] ^ range.prefix[whole]) & mask) == 0;
}

std::string_view first_match(const std::uint8_t* address, std::span<const Range> ranges) noexcept {
  for (const auto& range : ranges)
    if (inside(address, range)) return range.kind;
  return {};
}

}  // namespace

std::string_view refused_range(const sockaddr& address) noexcept {
  if (address.sa_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &address, sizeof v4);
    std::uint8_t bytes[4];
    std::memcpy(bytes, &v4.sin_addr, sizeof bytes);
    return first_match(bytes, v4_refused);
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 v6;
    std::memcpy(&v6, &address, sizeof v6);
    const auto kind = first_match(v6.sin6_addr.s6_addr, v6_refused);
    if (!kind.empty()) return kind;
    return inside(v6.sin6_addr.s6_addr, v6_global_unicast) ? std::string_view{} : "not global unicast";
  }
  return "not an internet address";
}

}  // namespace millrace::tasks
