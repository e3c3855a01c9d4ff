#include "storage/filesystem_kind.hpp"

#include <cerrno>
#include <cstdint>
#include <string_view>

#include <sys/vfs.h>

#include "storage/posix_file.hpp"

namespace millrace::storage {

namespace {

struct Unsafe {
  std::uint32_t type;
  std::string_view name;
  std::string_view problem;
};

constexpr std::string_view network = "a sync or a lock of another machine may not be what it says";
constexpr std::string_view memory = "its contents are gone after a restart of the machine";

// Numbers from linux/magic.h, written out because older headers lack some.
constexpr Unsafe unsafe_filesystems[] = {
    {0x00006969, "nfs", network},
    {0xff534d42, "cifs", network},
    {0xfe534d42, "smb", network},
    {0x0000517b, "smb", network},
    {0x01021997, "9p", network},
    {0x00c36400, "ceph", network},
    {0x65735546, "fuse", "what a sync means is up to a program behind it"},
    {0x01021994, "tmpfs", memory},
    {0x858458f6, "ramfs", memory},
    {0x794c7630, "overlayfs", "in a container it is usually removed with the container; mount a volume"},
};

}  // namespace

FilesystemKind filesystem_kind(long statfs_type) {
  for (const auto& row : unsafe_filesystems) {
    if (row.type == static_cast<std::uint32_t>(statfs_type)) return {std::string(row.name), std::string(row.problem)};
  }
  return {};
}

Result<FilesystemKind> filesystem_kind(std::filesystem::path path) {
  struct statfs info {};
  if (path.is_relative()) path = std::filesystem::path(".") / path;
  while (::statfs(path.c_str(), &info) != 0) {
    if (errno != ENOENT || !path.has_parent_path() || path.parent_path() == path) {
      return system_error("look at the file system of", path, errno);
    }
    path = path.parent_path();
  }
  return filesystem_kind(static_cast<long>(info.f_type));
}

}  // namespace millrace::storage
