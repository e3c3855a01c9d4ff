#include "base/uuid.hpp"

#include <set>

#include <gtest/gtest.h>

namespace millrace {
namespace {

TEST(Uuid, CarriesItsTimeVersionAndVariant) {
  const auto id = make_uuid(WallTime{Milliseconds{0x0198f6c21234}});
  ASSERT_EQ(id.size(), 36u);
  EXPECT_EQ(id.substr(0, 15), "0198f6c2-1234-7");
  EXPECT_NE(std::string("89ab").find(id[19]), std::string::npos);
}

TEST(Uuid, IsNotMadeTwice) {
  std::set<std::string> ids;
  for (int i = 0; i < 10'000; ++i) ids.insert(make_uuid(WallTime{}));
  EXPECT_EQ(ids.size(), 10'000u);
}

}  // namespace
}  // namespace millrace
