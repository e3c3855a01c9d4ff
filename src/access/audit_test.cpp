#include "access/audit.hpp"

#include <gtest/gtest.h>

namespace millrace::access {
namespace {

TEST(Audit, EveryMemberStandsInTheLine) {
  const AuditRecord record{"boss", "10.0.0.1", "queue.purge", "mail", "done", "r1"};
  const auto fields = audit_fields(record);
  EXPECT_EQ(sizeof(AuditRecord), fields.size() * sizeof(std::string_view));
  EXPECT_EQ(fields[0].name, "actor");
  EXPECT_EQ(fields[0].value, "boss");
  EXPECT_EQ(fields[2].value, "queue.purge");
  EXPECT_EQ(fields[5].value, "r1");
}

}  // namespace
}  // namespace millrace::access
