#include "access/failure_limiter.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include <arpa/inet.h>

namespace millrace::access {
namespace {

/// `[v6]:port`, `v4:port`, or either without port, to the address alone.
std::string without_port(std::string_view address) {
  if (address.starts_with('[')) {
    address.remove_prefix(1);
    return std::string(address.substr(0, address.find(']')));
  }
  const auto colon = address.find(':');
  const bool one_colon = colon != std::string_view::npos && address.find(':', colon + 1) == std::string_view::npos;
  return std::string(one_colon ? address.substr(0, colon) : address);
}

}  // namespace

std::string failure_key(std::string_view address) {
  constexpr std::array<unsigned char, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  auto text = without_port(address);
  in6_addr v6{};
  if (inet_pton(AF_INET6, text.substr(0, text.find('%')).c_str(), &v6) != 1) return text;
  char buffer[INET6_ADDRSTRLEN];
  if (std::memcmp(&v6, mapped_prefix.data(), mapped_prefix.size()) == 0) {
    return inet_ntop(AF_INET, v6.s6_addr + mapped_prefix.size(), buffer, sizeof buffer);
  }
  std::memset(v6.s6_addr + 8, 0, 8);
  return std::string(inet_ntop(AF_INET6, &v6, buffer, sizeof buffer)) + "/64";
}

double FailureLimiter::left_now(const Bucket& bucket, SteadyTime now) const noexcept {
  const auto seconds = std::max(0.0, std::chrono::duration<double>(now - bucket.at).count());
  return std::min(limits_.burst, bucket.left + seconds * limits_.per_second);
}

Milliseconds FailureLimiter::wait(std::string_view address, SteadyTime now) {
  const auto key = failure_key(address);
  const std::lock_guard lock(mutex_);
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return Milliseconds{0};
  const auto left = left_now(*found->second, now);
  if (left >= limits_.burst) {
    const auto bucket = found->second;
    by_key_.erase(found);
    buckets_.erase(bucket);
    return Milliseconds{0};
  }
  if (left >= 1) return Milliseconds{0};
  return Milliseconds{static_cast<std::int64_t>(std::ceil((1 - left) / limits_.per_second * 1000))};
}

void FailureLimiter::failed(std::string_view address, SteadyTime now) {
  auto key = failure_key(address);
  const std::lock_guard lock(mutex_);
  if (const auto found = by_key_.find(key); found != by_key_.end()) {
    auto& bucket = *found->second;
    bucket.left = std::max(0.0, left_now(bucket, now) - 1);
    bucket.at = now;
    buckets_.splice(buckets_.begin(), buckets_, found->second);
    return;
  }
  if (buckets_.size() >= limits_.addresses_max) {
    by_key_.erase(buckets_.back().key);
    buckets_.pop_back();
  }
  buckets_.push_front({std::move(key), limits_.burst - 1, now});
  by_key_.emplace(buckets_.front().key, buckets_.begin());
}

std::size_t FailureLimiter::addresses() const {
  const std::lock_guard lock(mutex_);
  return buckets_.size();
}

}  // namespace millrace::access
