#pragma once

#include <cstdint>
#include <string_view>

#include <millrace/result.hpp>

namespace millrace::server {

/// The request shapes of systems that Millrace replaces (DESIGN 8). The one of `/api/v1/tasks` is our own.
enum class Dialect : std::uint8_t {
  none,
  jobs,    // POST /submit, GET /status/{id}
  celery,  // POST /api/tasks, GET /api/tasks/{id}
  tasks    // POST /tasks, GET /tasks/{id}, GET /stats
};

/// Which of them a server speaks.
class DialectSet {
 public:
  static constexpr DialectSet all() { return DialectSet(0xff); }
  static constexpr DialectSet nothing() { return DialectSet(0); }
  /// `all`, `none`, or some of `jobs,celery,tasks`. Errors: invalid_argument.
  static Result<DialectSet> parse(std::string_view text);

  constexpr bool has(Dialect dialect) const noexcept { return (bits_ >> static_cast<unsigned>(dialect) & 1) != 0; }
  friend constexpr bool operator==(DialectSet, DialectSet) = default;

 private:
  constexpr explicit DialectSet(std::uint32_t bits) : bits_(bits) {}
  std::uint32_t bits_;
};

}  // namespace millrace::server
