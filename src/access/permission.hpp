#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace millrace::access {

/// What a route asks for. Values are bits of a `PermissionSet`, never stored.
enum class Permission : std::uint8_t {
  read_tasks,               // records, lists, queues, workers, stats, events; without payloads and results
  read_payloads,            // payloads and results in records and lists
  read_metrics,             // /metrics
  submit_tasks,             // enqueue
  submit_privileged_tasks,  // enqueue task types that reach out of the queue: `exec`, `http_request`
  run_tasks,                // the worker protocol: lease, settle with children, extend
  cancel_tasks,
  manage_tasks,   // requeue, run now, finish, change, delete; bulk actions
  manage_queues,  // pause, resume, change settings
  purge_queues,
  administer,  // configuration, log level, drain
  count_,      // how many; no permission
};
std::string_view to_string(Permission permission) noexcept;

/// What a token is for. A token has one or several.
enum class Role : std::uint8_t { viewer, producer, worker, operator_, admin, count_ };
std::string_view to_string(Role role) noexcept;
std::optional<Role> parse_role(std::string_view text) noexcept;
/// `viewer, producer, worker, operator, admin`, for messages.
std::string role_names();

/// A set of permissions; empty unless something was granted.
class PermissionSet {
 public:
  constexpr PermissionSet() = default;
  constexpr PermissionSet(std::initializer_list<Permission> permissions) {
    for (const auto permission : permissions) bits_ |= bit(permission);
  }
  static constexpr PermissionSet all() {
    PermissionSet set;
    set.bits_ = bit(Permission::count_) - 1;
    return set;
  }

  constexpr bool has(Permission permission) const noexcept { return (bits_ & bit(permission)) != 0; }
  constexpr PermissionSet operator|(PermissionSet other) const noexcept {
    other.bits_ |= bits_;
    return other;
  }
  constexpr PermissionSet without(Permission permission) const noexcept {
    auto set = *this;
    set.bits_ &= ~bit(permission);
    return set;
  }
  friend constexpr bool operator==(PermissionSet, PermissionSet) = default;

 private:
  static constexpr std::uint32_t bit(Permission permission) { return 1U << static_cast<unsigned>(permission); }
  std::uint32_t bits_ = 0;
};

/// What `role` allows; nothing that its row of the table does not name.
PermissionSet permissions_of(Role role) noexcept;
PermissionSet permissions_of(std::span<const Role> roles) noexcept;

/// Who asks. The name stands in logs and in the audit; it is never a secret.
struct Identity {
  std::string name = {};
  PermissionSet permissions = {};

  bool may(Permission permission) const noexcept { return permissions.has(permission); }
};

/// Somebody without a token on a server that has none configured: everything but privileged task types, which need a
/// token even on loopback.
Identity local_user();

}  // namespace millrace::access
