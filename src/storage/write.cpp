#include "storage/write.hpp"

#include "base/assert.hpp"

namespace millrace::storage {

namespace {

constexpr std::size_t key_bytes_max = std::size_t{64} << 10;
constexpr std::size_t value_bytes_max = std::size_t{256} << 20;
constexpr std::size_t batch_bytes_max = std::size_t{1} << 30;

}  // namespace

std::string_view family_name(Family family) {
  switch (family) {
    case Family::meta:
      return "meta";
    case Family::journal:
      return "journal";
    case Family::blocks:
      return "blocks";
    case Family::blobs:
      return "blobs";
    case Family::aliases:
      return "aliases";
  }
  return {};
}

void Write::add(Kind kind, Family family, std::string_view key, std::string_view value) {
  MILLRACE_ASSERT(key.size() <= key_bytes_max);
  MILLRACE_ASSERT(value.size() <= value_bytes_max);
  MILLRACE_ASSERT(arena_.size() + key.size() + value.size() <= batch_bytes_max);
  arena_.append(key).append(value);
  entries_.push_back({static_cast<std::uint32_t>(key.size()), static_cast<std::uint32_t>(value.size()), kind, family});
}

void Write::clear(std::size_t kept_bytes_max) {
  entries_.clear();
  arena_.clear();
  if (arena_.capacity() > kept_bytes_max) arena_ = std::string{};
}

}  // namespace millrace::storage
