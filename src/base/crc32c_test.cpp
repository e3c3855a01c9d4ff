#include "base/crc32c.hpp"

#include <string>

#include <gtest/gtest.h>

namespace millrace {
namespace {

TEST(Crc32c, GivesTheValuesOfRfc3720) {
  std::string ascending;
  for (int i = 0; i < 32; ++i) ascending.push_back(static_cast<char>(i));
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43U);
  EXPECT_EQ(crc32c(ascending), 0x46dd794eU);
  EXPECT_EQ(crc32c("123456789"), 0xe3069283U);
  EXPECT_EQ(crc32c(""), 0U);
}

TEST(Crc32c, OfAWholeIsTheCrcOfItsPartsInARow) {
  const std::string whole = "a task that is stored in two pieces of odd sizes";
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    EXPECT_EQ(crc32c(std::string_view(whole).substr(cut), crc32c(std::string_view(whole).substr(0, cut))),
              crc32c(whole));
  }
}

}  // namespace
}  // namespace millrace
