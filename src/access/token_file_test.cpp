#include "access/token_file.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace millrace::access {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class TokenFileTest : public testing::Test {
 protected:
  TokenFileTest() {
    char folder[] = "/tmp/millrace-token-XXXXXX";
    folder_ = mkdtemp(folder);
    path_ = folder_ / "tokens";
  }
  ~TokenFileTest() override { std::filesystem::remove_all(folder_); }

  static std::string line(const std::string& name, const std::string& token) {
    return name + ":viewer:" + to_hex(digest_of(token)) + "\n";
  }
  /// Replaces the file as an editor does, so that the change shows even within one tick of its time stamps.
  void write(const std::string& text) {
    const auto next = folder_ / "next";
    std::ofstream(next) << text;
    chmod(next.c_str(), 0600);
    std::filesystem::rename(next, path_);
  }

  std::filesystem::path folder_;
  std::filesystem::path path_;
};

TEST_F(TokenFileTest, IsReadAgainWhenItChanges) {
  write(line("a", "one"));
  const auto file = TokenFile::open(path_).value();
  const auto held = file->table();
  EXPECT_EQ(file->reload_if_changed().value(), TokenFile::Reload::unchanged);

  write(line("b", "two"));
  EXPECT_EQ(file->reload_if_changed().value(), TokenFile::Reload::reloaded);
  EXPECT_EQ(file->table()->find("one"), nullptr);
  EXPECT_EQ(file->table()->find("two")->name, "b");
  EXPECT_NE(held->find("one"), nullptr);
}

TEST_F(TokenFileTest, ABadChangeLeavesTheOldTableInForceAndIsToldOnce) {
  write(line("a", "one"));
  const auto file = TokenFile::open(path_).value();
  write("rubbish\n");
  const auto reloaded = file->reload_if_changed();
  ASSERT_FALSE(reloaded);
  EXPECT_THAT(reloaded.error().detail, HasSubstr(path_.string() + ": line 1"));
  EXPECT_NE(file->table()->find("one"), nullptr);
  EXPECT_EQ(file->reload_if_changed().value(), TokenFile::Reload::unchanged);

  std::filesystem::remove(path_);
  EXPECT_EQ(file->reload_if_changed().error().code, ErrorCode::not_found);
  EXPECT_EQ(file->reload_if_changed().value(), TokenFile::Reload::unchanged);
  write(line("c", "three"));
  EXPECT_EQ(file->reload_if_changed().value(), TokenFile::Reload::reloaded);
}

TEST_F(TokenFileTest, AFileThatIsMissingOrBadDoesNotOpen) {
  EXPECT_EQ(TokenFile::open(path_).error().code, ErrorCode::not_found);
  write("rubbish");
  EXPECT_EQ(TokenFile::open(path_).error().code, ErrorCode::invalid_argument);
  write(std::string(2 * 1024 * 1024, '#'));
  EXPECT_THAT(TokenFile::open(path_).error().detail, HasSubstr("larger than 1 MiB"));
}

TEST_F(TokenFileTest, WarnsWhenOthersMayReadIt) {
  write(line("a", "one"));
  EXPECT_THAT(TokenFile::open(path_).value()->warnings(), IsEmpty());
  chmod(path_.c_str(), 0640);
  EXPECT_THAT(TokenFile::open(path_).value()->warnings(), ElementsAre(HasSubstr("chmod 600")));
}

TEST_F(TokenFileTest, LinesAreAddedToAPrivateFile) {
  ASSERT_TRUE(add_token_line(path_, "a:viewer:" + to_hex(digest_of("one"))));
  ASSERT_TRUE(add_token_line(path_, "b:viewer:" + to_hex(digest_of("two"))));
  struct stat stat {};
  ASSERT_EQ(::stat(path_.c_str(), &stat), 0);
  EXPECT_EQ(stat.st_mode & 0777, 0600U);
  EXPECT_EQ(TokenFile::open(path_).value()->table()->size(), 2U);

  EXPECT_FALSE(add_token_line(path_, "a:viewer:" + to_hex(digest_of("three"))));
  EXPECT_FALSE(add_token_line(path_, "rubbish"));
  EXPECT_EQ(TokenFile::open(path_).value()->table()->size(), 2U);
}

}  // namespace
}  // namespace millrace::access
