#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <millrace/names.hpp>
#include <millrace/result.hpp>
#include <millrace/time.hpp>

#include "base/clock.hpp"
#include "supervise/descriptor.hpp"

namespace millrace::supervise {

/// How far the child is with one lease.
enum class Stage : std::uint32_t {
  free = 0,
  leased = 1,    // granted, its handler has not begun
  started = 2,   // its handler runs
  finished = 3,  // its handler has returned, the outcome is not recorded yet
};

/// Why an attempt was asked to stop, as far as the parent cares.
enum class StopKind : std::uint32_t { none = 0, cancelled = 1, timed_out = 2, other = 3 };

/// One lease of the child, as the parent reads it.
struct AttemptEntry {
  Stage stage = Stage::free;
  LeaseToken token = {};
  Milliseconds timeout{0};      // of the attempt, 0 = none
  SteadyTime started_at{0};     // since stage `started`
  SteadyTime stop_asked_at{0};  // 0 = it was not asked to stop
  StopKind stop = StopKind::none;

  friend bool operator==(const AttemptEntry&, const AttemptEntry&) = default;
};

namespace detail {

/// The shared bytes. Written by the child, read by the parent; a cell's `stage` is stored last and read first. Times
/// are milliseconds of CLOCK_BOOTTIME, which both processes read alike.
struct alignas(64) Cell {
  std::atomic<std::uint32_t> stage;
  std::atomic<std::uint32_t> stop;
  std::atomic<std::int64_t> timeout_ms;
  std::atomic<std::int64_t> started_ms;
  std::atomic<std::int64_t> stop_asked_ms;
  std::uint32_t token_bytes;
  std::array<char, 100> token;
};

struct alignas(64) Header {
  std::atomic<std::uint32_t> version;  // 0 until the child has attached
  std::uint32_t capacity;
  std::atomic<std::uint32_t> used;    // cells at and after this index were never taken
  std::atomic<std::int64_t> beat_ms;  // when the child's heart beat last
  std::uint32_t instance_bytes;
  std::array<char, 128> instance;  // what the worker calls itself at the broker
};
static_assert(std::atomic<std::int64_t>::is_always_lock_free, "shared between processes");

}  // namespace detail

/// A table in memory that a child process writes and its parent reads, so that the parent knows which attempts were
/// running even if the child was killed between two instructions. It costs the child no system call.
///
/// The child is trusted as far as its bugs go: what a wild write leaves here is clamped, and a token proves itself at
/// the broker or does nothing. Threads: `entries` from any.
class AttemptTable {
 public:
  /// A new, empty table for at most `capacity` leases at a time. Errors: unavailable.
  static Result<AttemptTable> create(std::size_t capacity);
  AttemptTable(AttemptTable&& other) noexcept;
  AttemptTable& operator=(AttemptTable&&) = delete;
  ~AttemptTable();

  /// The memory that a child attaches to.
  const Descriptor& file() const noexcept { return file_; }
  bool attached() const noexcept;
  /// The instance name that the child's worker has at the broker; empty before it attached.
  std::string instance() const;
  /// 0 before the first beat.
  SteadyTime last_beat() const noexcept;
  /// Every cell that is not free. While the child lives it is a moving picture: each entry is right at some moment.
  std::vector<AttemptEntry> entries() const;

 private:
  AttemptTable(Descriptor file, detail::Header* header, std::size_t bytes) noexcept;
  const detail::Cell* cells() const noexcept;
  Descriptor file_;
  detail::Header* header_;
  std::size_t bytes_;
};

namespace detail {
std::size_t table_bytes(std::size_t capacity) noexcept;
inline constexpr std::uint32_t table_version = 1;
inline constexpr std::size_t table_capacity_max = 65'536;
}  // namespace detail

}  // namespace millrace::supervise
