#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::storage {

/// A column family: its own key order, memory and files; one log for all of them. The numbers are only used in
/// memory, the names (`family_name`) are what a directory on disk holds.
enum class Family : std::uint8_t {
  meta,     ///< few small records: checkpoint, formats, settings
  journal,  ///< one value per commit group, read only at open and by the events stream, cut from the front
  blocks,   ///< ~12 KiB values under 16-byte sequential keys; derived from the journal
  blobs,    ///< payloads too large for a block; derived
  aliases,  ///< short values under client-chosen, so random, keys; derived; most reads miss
};

inline constexpr std::size_t family_count = 5;

/// The stable name of a family, as stored on disk.
std::string_view family_name(Family family);

/// Whether the family is changed by `Store::write_derived`; the others by `Store::commit`.
constexpr bool is_derived(Family family) {
  return family == Family::blocks || family == Family::blobs || family == Family::aliases;
}

/// A batch of changes, applied in the order they were added. Keys and values are copied in, so the views given may
/// die at once. Reuse one object with `clear()`: it keeps its memory, and a batch then costs no allocation.
///
/// Limits   a key up to 64 KiB, a value up to 256 MiB, a batch below 1 GiB; an assertion guards them.
/// Threads  a plain value: one thread at a time.
class Write {
 public:
  enum class Kind : std::uint8_t { put, erase, erase_range };

  /// One change as it is read back. `value` is the exclusive upper end for `erase_range` (empty: no upper end),
  /// empty for `erase`. The views live as long as the batch is unchanged.
  struct Change {
    Kind kind = Kind::put;
    Family family = Family::meta;
    std::string_view key = {};
    std::string_view value = {};
  };

  void put(Family family, std::string_view key, std::string_view value) { add(Kind::put, family, key, value); }
  void erase(Family family, std::string_view key) { add(Kind::erase, family, key, {}); }

  /// Erases every key in [begin, end); an empty `end` means up to the last key of the family.
  void erase_range(Family family, std::string_view begin, std::string_view end) {
    add(Kind::erase_range, family, begin, end);
  }

  /// Forgets the changes and keeps the memory, up to `kept_bytes_max` of it.
  void clear(std::size_t kept_bytes_max = std::size_t{4} << 20);

  bool empty() const { return entries_.empty(); }
  std::size_t count() const { return entries_.size(); }

  /// Bytes of all keys and values: about what the log will grow by.
  std::size_t bytes() const { return arena_.size(); }

  /// Calls `visit(const Change&)` for each change in order.
  template <typename Visit>
  void for_each(Visit&& visit) const {
    std::size_t offset = 0;
    for (const Entry& entry : entries_) {
      const std::string_view key(arena_.data() + offset, entry.key_size);
      const std::string_view value(arena_.data() + offset + entry.key_size, entry.value_size);
      offset += entry.key_size + entry.value_size;
      visit(Change{entry.kind, entry.family, key, value});
    }
  }

 private:
  struct Entry {
    std::uint32_t key_size;
    std::uint32_t value_size;
    Kind kind;
    Family family;
  };

  void add(Kind kind, Family family, std::string_view key, std::string_view value);

  std::string arena_;  // key, value, key, value … of all changes
  std::vector<Entry> entries_;
};

}  // namespace millrace::storage
