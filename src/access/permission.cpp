#include "access/permission.hpp"

#include <algorithm>
#include <array>

namespace millrace::access {
namespace {

struct RoleInfo {
  Role role;
  std::string_view name;
  PermissionSet permissions;
};

using enum Permission;

// A worker reads no records: what it may see comes with its leases.
constexpr std::array<RoleInfo, static_cast<std::size_t>(Role::count_)> roles{{
    {Role::viewer, "viewer", {read_tasks, read_metrics}},
    {Role::producer, "producer", {read_tasks, read_payloads, submit_tasks, submit_privileged_tasks, cancel_tasks}},
    {Role::worker, "worker", {run_tasks}},
    {Role::operator_,
     "operator",
     {read_tasks, read_payloads, read_metrics, cancel_tasks, manage_tasks, manage_queues, purge_queues}},
    {Role::admin, "admin", PermissionSet::all()},
}};

constexpr std::array<std::string_view, static_cast<std::size_t>(Permission::count_)> permission_names{
    "read_tasks", "read_payloads", "read_metrics", "submit_tasks",  "submit_privileged_tasks",
    "run_tasks",  "cancel_tasks",  "manage_tasks", "manage_queues", "purge_queues",
    "administer"};

constexpr bool in_order() {
  for (std::size_t i = 0; i < roles.size(); ++i) {
    if (static_cast<std::size_t>(roles[i].role) != i) return false;
  }
  return true;
}
static_assert(in_order());

}  // namespace

std::string_view to_string(Permission permission) noexcept {
  return permission_names[static_cast<std::size_t>(permission)];
}

std::string_view to_string(Role role) noexcept { return roles[static_cast<std::size_t>(role)].name; }

std::optional<Role> parse_role(std::string_view text) noexcept {
  for (const auto& row : roles) {
    if (row.name == text) return row.role;
  }
  return std::nullopt;
}

std::string role_names() {
  std::string names;
  for (const auto& row : roles) names.append(names.empty() ? "" : ", ").append(row.name);
  return names;
}

PermissionSet permissions_of(Role role) noexcept { return roles[static_cast<std::size_t>(role)].permissions; }

PermissionSet permissions_of(std::span<const Role> all) noexcept {
  PermissionSet set;
  for (const auto role : all) set = set | permissions_of(role);
  return set;
}

Identity local_user() { return {"local", PermissionSet::all().without(submit_privileged_tasks)}; }

}  // namespace millrace::access
