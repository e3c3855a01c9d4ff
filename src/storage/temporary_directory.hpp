#pragma once

#include <filesystem>
#include <stdlib.h>
#include <string>
#include <unistd.h>

#include "base/assert.hpp"

namespace millrace::storage {

/// What a temporary directory is for.
enum class Medium {
  disk,    ///< real syncs, real locks
  memory,  ///< thousands of rounds; on the disk if the machine has no file system in memory
};

/// A fresh directory, removed with everything in it at the end. For tests and benchmarks.
class TemporaryDirectory {
 public:
  explicit TemporaryDirectory(Medium medium = Medium::disk) {
    std::filesystem::path parent = "/dev/shm";
    if (medium == Medium::disk || ::access(parent.c_str(), W_OK) != 0) parent = std::filesystem::temp_directory_path();
    std::string pattern = (parent / "millrace-XXXXXX").string();
    MILLRACE_ASSERT(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace millrace::storage
