#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <millrace/result.hpp>

namespace millrace {
namespace {

struct Page {
  std::vector<std::string> items = {};
};

Result<Page> page() { return Page{{std::string(100, 'a'), std::string(100, 'b')}}; }

// A range-based for keeps only what its whole expression yields, so a reference into the Result would be read after
// its end: AddressSanitizer finds it.
TEST(Result, TheValueOfATemporaryLivesAsLongAsALoopOverIt) {
  std::string first;
  for (const auto& item : page().value().items) first.push_back(item.front());
  for (const auto& item : (*page()).items) first.push_back(item.front());
  EXPECT_EQ(first, "abab");
}

TEST(Result, TheValueOfATemporaryIsMovedOut) {
  const auto made = [] { return Result<std::unique_ptr<int>>(std::make_unique<int>(7)); };
  EXPECT_EQ(*made().value(), 7);
  const std::unique_ptr<int> taken = *made();
  EXPECT_EQ(*taken, 7);
}

TEST(Result, ThrowsTheErrorWhereThereIsNoValue) {
  const Result<int> none = Error{ErrorCode::not_found, "no such task"};
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::not_found);
  EXPECT_THROW(static_cast<void>(none.value()), Failure);
}

}  // namespace
}  // namespace millrace
