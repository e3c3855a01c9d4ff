#pragma once

#include <filesystem>
#include <string>

#include <millrace/result.hpp>

namespace millrace::storage {

/// What a path is stored on.
struct FilesystemKind {
  std::string name = {};     ///< "nfs", "tmpfs" …; empty when it is none of those known to be unsafe
  std::string problem = {};  ///< what goes wrong there: "its contents are gone after a restart"

  bool safe() const { return name.empty(); }
};

/// Judges a file system by the number that statfs(2) gives.
FilesystemKind filesystem_kind(long statfs_type);

/// Judges what `path` is on, or would be once created. Errors: `unavailable`.
Result<FilesystemKind> filesystem_kind(std::filesystem::path path);

}  // namespace millrace::storage
