#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <millrace/result.hpp>

#include "storage/posix_file.hpp"

namespace millrace::storage {

/// Options of `DataDirectory::open`.
struct DataDirectoryOptions {
  std::string program = "millrace serve";  ///< what a second opener is told
  std::string url = {};                    ///< where this one serves, empty while unknown: see `set_url`
  bool allow_unsafe_filesystem = false;    ///< `--allow-unsafe-filesystem`
};

/// Who has a data directory open, as its lock file tells.
struct DirectoryHolder {
  std::int64_t pid = 0;
  std::string boot = {};  ///< the life of the machine in which it was opened
  std::string host = {};
  std::string program = {};
  std::string url = {};  ///< empty: it serves nothing, or not yet
};

/// The directory of one embedded engine, held by one process. Being held is a lock of the kernel on the lock file,
/// which ends with the process however it ends: a lock file left behind is no obstacle and its process id is never
/// believed. A child that was forked shares it until it ends or execs.
///
/// Layout: `lock`; `db/` the store; `ballast` reserved space (see `DiskSpace`); other names belong to others.
/// Movable; one thread at a time.
class DataDirectory {
 public:
  /// Creates the directory (mode 0700, parents must exist) if there is none, and holds it.
  ///
  /// Errors   `open_elsewhere`: "./millrace-data is open in millrace serve (pid 4211); use --server
  ///          http://127.0.0.1:8000"; `unsupported`: the file system loses data or locks (NFS, SMB, FUSE, 9p, tmpfs,
  ///          overlayfs) and that was not allowed; `unavailable`, `disk_low`: the system's reason.
  static Result<DataDirectory> open(const std::filesystem::path& path, const DataDirectoryOptions& options);

  /// Who holds a directory right now, without touching it; nothing if nobody does. For programs that would rather
  /// talk to the server that does.
  static std::optional<DirectoryHolder> holder(const std::filesystem::path& path);

  /// Tells second openers where this one serves.
  Result<void> set_url(std::string url);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path database() const { return path_ / "db"; }

  /// What an operator should read in the log: the unsafe file system that was allowed. Empty: nothing.
  const std::string& warning() const { return warning_; }

 private:
  DataDirectory(std::filesystem::path path, PosixFile lock, DirectoryHolder self, std::string warning);
  Result<void> write_lock_file();

  std::filesystem::path path_;
  PosixFile lock_;
  DirectoryHolder self_;
  std::string warning_;
};

}  // namespace millrace::storage
