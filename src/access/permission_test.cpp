#include "access/permission.hpp"

#include <set>

#include <gtest/gtest.h>

namespace millrace::access {
namespace {

using enum Permission;

/// The table as documented: role, then exactly what it allows.
TEST(Permission, EveryRoleAllowsWhatTheTableSaysAndNothingElse) {
  const std::pair<Role, std::set<Permission>> rows[] = {
      {Role::viewer, {read_tasks, read_metrics}},
      {Role::producer, {read_tasks, read_payloads, submit_tasks, submit_privileged_tasks, cancel_tasks}},
      {Role::worker, {run_tasks}},
      {Role::operator_,
       {read_tasks, read_payloads, read_metrics, cancel_tasks, manage_tasks, manage_queues, purge_queues}},
  };
  for (const auto& [role, allowed] : rows) {
    for (int i = 0; i < static_cast<int>(count_); ++i) {
      const auto permission = static_cast<Permission>(i);
      EXPECT_EQ(permissions_of(role).has(permission), allowed.contains(permission))
          << to_string(role) << " " << to_string(permission);
    }
  }
  EXPECT_EQ(permissions_of(Role::admin), PermissionSet::all());
}

TEST(Permission, NobodyMayAnythingByDefault) {
  const Identity identity;
  for (int i = 0; i < static_cast<int>(count_); ++i) EXPECT_FALSE(identity.may(static_cast<Permission>(i)));
}

TEST(Permission, RolesAddUp) {
  const Role both[] = {Role::producer, Role::worker};
  EXPECT_TRUE(permissions_of(both).has(submit_tasks));
  EXPECT_TRUE(permissions_of(both).has(run_tasks));
  EXPECT_FALSE(permissions_of(both).has(purge_queues));
}

TEST(Permission, LocalUsersNeedATokenForPrivilegedTypes) {
  EXPECT_TRUE(local_user().may(purge_queues));
  EXPECT_FALSE(local_user().may(submit_privileged_tasks));
}

TEST(Permission, RolesAreFoundByName) {
  for (int i = 0; i < static_cast<int>(Role::count_); ++i) {
    const auto role = static_cast<Role>(i);
    EXPECT_EQ(parse_role(to_string(role)), role);
  }
  EXPECT_EQ(parse_role("root"), std::nullopt);
  EXPECT_EQ(parse_role(""), std::nullopt);
  EXPECT_EQ(role_names(), "viewer, producer, worker, operator, admin");
}

}  // namespace
}  // namespace millrace::access
