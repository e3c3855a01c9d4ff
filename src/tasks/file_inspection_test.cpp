#include "tasks/file_inspection.hpp"

#include <cerrno>
#include <fcntl.h>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tasks/file_descriptor.hpp"
#include "tasks/media_type.hpp"
#include "tasks/temporary_folder.hpp"

namespace millrace::tasks {
namespace {

ErrorCode code_of(const TemporaryFolder& folder, const std::string& path, std::uint64_t bytes_max = 1000) {
  auto facts = inspect_file(folder.path(), path, bytes_max, {});
  EXPECT_FALSE(facts) << path;
  return facts ? ErrorCode::internal : facts.error().code;
}

TEST(FileInspection, TellsSizeLinesHashAndType) {
  const TemporaryFolder folder;
  folder.write("notes.txt", "one\ntwo\nthree");
  const auto facts = inspect_file(folder.path(), "notes.txt", 1000, {}).value();
  EXPECT_EQ(facts.bytes, 13u);
  EXPECT_EQ(facts.lines, 3u);
  EXPECT_EQ(facts.sha256, "058053d87c818d699cde0f00d670bca0e1c6ad857caa9758ea6a556d7c64fcee");
  EXPECT_EQ(facts.media_type, "text/plain; charset=utf-8");
}

TEST(FileInspection, NothingOutsideTheFolderIsReached) {
  const TemporaryFolder outside, folder;
  outside.write("secret", "x");
  std::filesystem::create_directory(folder / "sub");
  folder.write("inside", "x");
  std::filesystem::create_symlink(outside / "secret", folder / "link");
  std::filesystem::create_symlink(outside.path(), folder / "folderlink");
  std::filesystem::create_symlink("inside", folder / "harmless");
  for (const std::string& path :
       {outside / "secret", std::string("../x"), std::string("sub/../../x"), std::string("/etc/passwd"),
        std::string(".."), std::string("link"), std::string("folderlink/secret"), std::string("harmless")})
    EXPECT_EQ(code_of(folder, path), ErrorCode::forbidden) << path;
}

TEST(FileInspection, OnlyRegularFilesAreReadAndAFifoIsNotWaitedFor) {
  const TemporaryFolder folder;
  ASSERT_EQ(::mkfifo((folder / "fifo").c_str(), 0600), 0);
  std::filesystem::create_directory(folder / "sub");
  EXPECT_EQ(code_of(folder, "fifo"), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of(folder, "sub"), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of(folder, ""), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of(folder, std::string("a\0b", 3)), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of(folder, "absent"), ErrorCode::not_found);
  EXPECT_EQ(code_of(folder, std::string(300, 'x')), ErrorCode::invalid_argument);
}

TEST(FileInspection, ALargerFileIsRefusedAndAStopEndsTheRead) {
  const TemporaryFolder folder;
  folder.write("big", std::string(1001, 'x'));
  EXPECT_EQ(code_of(folder, "big"), ErrorCode::too_large);
  EXPECT_TRUE(inspect_file(folder.path(), "big", 1001, {}));
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(inspect_file(folder.path(), "big", 2000, stop.get_token()).error().code, ErrorCode::unavailable);
}

TEST(FileInspection, ACharacterAcrossTheBlockBorderIsStillText) {
  const TemporaryFolder folder;
  const std::string block_but_one(256 * 1024 - 1, 'x');
  folder.write("a.md", block_but_one + "€\n");
  folder.write("cut.md", block_but_one + "\xe2\x82");
  EXPECT_EQ(inspect_file(folder.path(), "a.md", 1 << 20, {}).value().media_type, "text/markdown; charset=utf-8");
  EXPECT_EQ(inspect_file(folder.path(), "cut.md", 1 << 20, {}).value().media_type, "application/octet-stream");
}

TEST(FileInspection, TheWayWithoutOpenat2RefusesTheSame) {
  const TemporaryFolder outside, folder;
  outside.write("secret", "x");
  std::filesystem::create_directories(folder / "sub/deep");
  folder.write("sub/deep/file", "x");
  std::filesystem::create_symlink(outside.path(), folder / "sub/link");
  std::filesystem::create_symlink(outside / "secret", folder / "sub/secret");
  const FileDescriptor base{::open(folder.path().c_str(), O_PATH | O_DIRECTORY)};
  const auto error_of = [&](const std::string& path) {
    const FileDescriptor file{detail::open_beneath_stepwise(base.get(), path)};
    return file ? 0 : errno;
  };
  EXPECT_EQ(error_of("sub/deep/file"), 0);
  EXPECT_EQ(error_of("sub//deep/./file"), 0);
  EXPECT_EQ(error_of("/sub/deep/file"), EXDEV);
  EXPECT_EQ(error_of("sub/../sub/deep/file"), EXDEV);
  EXPECT_EQ(error_of("sub/link/secret"), ELOOP);
  EXPECT_EQ(error_of("sub/secret"), ELOOP);
  EXPECT_EQ(error_of("sub/absent"), ENOENT);
}

TEST(FileInspection, SamplesAppearOnlyInAnEmptyFolder) {
  const TemporaryFolder parent;
  const auto folder = parent / "files";
  ASSERT_TRUE(prepare_files_folder(folder));
  EXPECT_EQ(inspect_file(folder, "test.txt", 1000, {}).value().lines, 1u);
  EXPECT_TRUE(inspect_file(folder, "your_file.txt", 1000, {}));
  std::filesystem::remove(folder + "/test.txt");
  ASSERT_TRUE(prepare_files_folder(folder));
  EXPECT_FALSE(std::filesystem::exists(folder + "/test.txt"));
}

TEST(MediaType, TheContentDecidesBeforeTheName) {
  EXPECT_EQ(media_type("x.txt", "\x89PNG\r\n\x1a\n....", false), "image/png");
  EXPECT_EQ(media_type("x.JSON", "{}", true), "application/json");
  EXPECT_EQ(media_type("x.json", "\x01", false), "application/octet-stream");
  EXPECT_EQ(media_type("x", "", true), "text/plain; charset=utf-8");
}

}  // namespace
}  // namespace millrace::tasks
