#include "codec/token_sealer.hpp"

#include <gtest/gtest.h>

namespace millrace {
namespace {

TEST(TokenSealer, OpensWhatItSealed) {
  TokenSealer sealer({1, 2, 3});
  const LeaseKey lease{12345, 1'800'000'000'000'001};
  const auto token = sealer.seal(lease);
  EXPECT_LE(token.str().size(), 96u);
  ASSERT_TRUE(sealer.open(token.view()));
  EXPECT_EQ(*sealer.open(token.view()), lease);
}

TEST(TokenSealer, RefusesATokenWithAnyCharacterChanged) {
  TokenSealer sealer({1, 2, 3});
  const auto token = sealer.seal({7, 8}).str();
  for (std::size_t i = 0; i < token.size(); ++i) {
    auto forged = token;
    forged[i] = forged[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(sealer.open(forged)) << "position " << i;
  }
}

TEST(TokenSealer, RefusesTheTokenOfAnotherStore) {
  TokenSealer ours({1, 2, 3});
  TokenSealer theirs({1, 2, 4});
  EXPECT_FALSE(ours.open(theirs.seal({7, 8}).view()));
}

TEST(TokenSealer, RefusesTextsThatAreNoTokens) {
  TokenSealer sealer({});
  EXPECT_FALSE(sealer.open(""));
  EXPECT_FALSE(sealer.open(std::string(44, '!')));
  EXPECT_FALSE(sealer.open(std::string(1000, 'A')));
}

}  // namespace
}  // namespace millrace
