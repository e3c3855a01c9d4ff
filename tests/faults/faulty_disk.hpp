#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include <sys/types.h>

namespace millrace::faults {

/// What the failing call answers.
enum class Kind : std::uint8_t {
  eio,          ///< any call that touches a file: EIO
  enospc,       ///< calls that need space: ENOSPC
  short_write,  ///< a write that writes half of it; what still fails after it fails with ENOSPC
  sync_error,   ///< fsync and fdatasync: EIO, and the system forgets which pages were not written, as ext4 and XFS do
};

struct Plan {
  Kind kind = Kind::eio;
  std::uint64_t nth = 1;  ///< of the calls that the kind may fail, counted from 1 since `plan`
  bool from_then_on = false;
};

/// A disk that fails when it is told to, and loses what was not synced: the system calls of this process on files below
/// one directory, ours as well as those of the libraries, come by here (faulty_disk.cpp stands before the C library).
/// Beside each file stands what of it has reached the disk. Names are taken as durable at once. Thread-safe.
class FaultyDisk {
 public:
  /// The exit status of a process that a library ended because of a failure.
  static constexpr int ended_by_library = 3;

  static FaultyDisk& instance();

  /// Forgets everything and looks after the files below `directory`, which is empty, from now on.
  void watch(const std::filesystem::path& directory);
  void plan(const Plan& plan);
  /// No more failures.
  void heal();
  /// Puts every file back to what has reached the disk. Nobody may have one open.
  void lose_power();

  /// Failed calls since `plan`.
  std::uint64_t failures() const;

  // For the system calls.

  enum class Need : std::uint8_t { nothing, space, write, sync };
  /// The error number of a call that fails now, else 0. `halved` is set if a write is to be cut short instead.
  int verdict(Need need, bool* halved = nullptr);
  bool watches(const char* path) const;
  bool watches(int descriptor) const;
  void opened(int descriptor, bool emptied);
  void closed(int descriptor);
  void changed(int descriptor, std::uint64_t offset, std::uint64_t size);
  void resized(int descriptor);
  void synced(int descriptor);
  void sync_failed(int descriptor);

 private:
  struct File {
    std::string on_disk = {};
    std::vector<std::pair<std::uint64_t, std::uint64_t>> waiting = {};  // offset, size: written, not synced
  };

  File* file_of(int descriptor);

  mutable std::mutex mutex_;
  std::string directory_;
  Plan plan_;
  bool armed_ = false;
  std::uint64_t calls_ = 0;
  std::uint64_t failures_ = 0;
  std::unordered_map<int, ino_t> open_;
  std::map<ino_t, File> files_;
};

}  // namespace millrace::faults
