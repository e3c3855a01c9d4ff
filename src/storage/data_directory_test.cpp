#include "storage/data_directory.hpp"

#include <fstream>
#include <string>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "storage/filesystem_kind.hpp"
#include "storage/temporary_directory.hpp"

namespace millrace::storage {
namespace {

using testing::HasSubstr;

class DataDirectoryTest : public testing::Test {
 protected:
  // Wherever the tests run, in a container perhaps.
  DataDirectoryOptions options_{.allow_unsafe_filesystem = true};
  TemporaryDirectory temporary_;
  std::filesystem::path path_ = temporary_.path() / "millrace-data";
};

TEST_F(DataDirectoryTest, IsCreatedForItsOwnerOnly) {
  const auto directory = DataDirectory::open(path_, options_);
  ASSERT_TRUE(directory);
  struct stat info {};
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700U);
  EXPECT_EQ(directory->database(), path_ / "db");
}

TEST_F(DataDirectoryTest, TellsASecondOpenerWhoHasItAndWhereToGo) {
  auto first = DataDirectory::open(path_, options_);
  ASSERT_TRUE(first);
  const auto pid = std::to_string(::getpid());
  auto second = DataDirectory::open(path_, options_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::open_elsewhere);
  EXPECT_EQ(second.error().detail, path_.string() + " is open in millrace serve (pid " + pid + ")");
  ASSERT_TRUE(first->set_url("http://127.0.0.1:8000"));
  second = DataDirectory::open(path_, options_);
  EXPECT_EQ(second.error().detail,
            path_.string() + " is open in millrace serve (pid " + pid + "); use --server http://127.0.0.1:8000");
  ASSERT_TRUE(first->set_url("http://[::1]"));
  EXPECT_EQ(DataDirectory::holder(path_)->url, "http://[::1]");
}

TEST_F(DataDirectoryTest, IsHeldByNobodyBeforeAndAfter) {
  EXPECT_FALSE(DataDirectory::holder(path_));
  {
    const auto directory = DataDirectory::open(path_, options_);
    const auto holder = DataDirectory::holder(path_);
    ASSERT_TRUE(holder);
    EXPECT_EQ(holder->pid, ::getpid());
    EXPECT_EQ(holder->program, "millrace serve");
    EXPECT_FALSE(holder->boot.empty());
  }
  EXPECT_FALSE(DataDirectory::holder(path_));
  EXPECT_TRUE(DataDirectory::open(path_, options_));
}

TEST_F(DataDirectoryTest, IsFreeAgainWhenItsProcessWasKilledWhateverTheLockFileSays) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const auto child = ::fork();
  if (child == 0) {
    const auto directory = DataDirectory::open(path_, options_);
    const char done = directory ? 'y' : 'n';
    if (::write(ready[1], &done, 1) != 1) ::_exit(1);
    for (;;) ::pause();
  }
  char done = 0;
  ASSERT_EQ(::read(ready[0], &done, 1), 1);
  ASSERT_EQ(done, 'y');
  EXPECT_THAT(DataDirectory::open(path_, options_).error().detail, HasSubstr("(pid " + std::to_string(child) + ")"));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(DataDirectory::open(path_, options_));
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_F(DataDirectoryTest, ReadsALockFileOfAnybody) {
  std::filesystem::create_directory(path_);
  std::ofstream(path_ / "lock") << "pid x\nnonsense\n\nurl\n" << std::string(9000, '\xff');
  EXPECT_TRUE(DataDirectory::open(path_, options_));
}

TEST_F(DataDirectoryTest, RefusesAFileSystemThatForgetsUnlessAllowed) {
  const TemporaryDirectory memory(Medium::memory);
  if (filesystem_kind(memory.path()).value().name != "tmpfs") GTEST_SKIP() << "no file system in memory here";
  const auto path = memory.path() / "data";
  const auto refused = DataDirectory::open(path, DataDirectoryOptions{});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::unsupported);
  EXPECT_THAT(refused.error().detail, HasSubstr("tmpfs"));
  EXPECT_THAT(refused.error().detail, HasSubstr("--allow-unsafe-filesystem"));
  EXPECT_FALSE(std::filesystem::exists(path));
  const auto allowed = DataDirectory::open(path, options_);
  ASSERT_TRUE(allowed);
  EXPECT_THAT(allowed->warning(), HasSubstr("tmpfs"));
}

TEST(FilesystemKind, KnowsTheUnsafeOnes) {
  EXPECT_EQ(filesystem_kind(0x6969).name, "nfs");
  EXPECT_EQ(filesystem_kind(0x794c7630).name, "overlayfs");
  EXPECT_EQ(filesystem_kind(static_cast<long>(0xff534d42)).name, "cifs");
  EXPECT_EQ(filesystem_kind(static_cast<std::int32_t>(0xff534d42)).name, "cifs");
  EXPECT_TRUE(filesystem_kind(0xef53).safe()) << "ext4";
  EXPECT_TRUE(filesystem_kind(0x58465342).safe()) << "xfs";
  EXPECT_TRUE(filesystem_kind(0x9123683e).safe()) << "btrfs";
}

}  // namespace
}  // namespace millrace::storage
