#pragma once

#include <cstddef>

#include <sys/types.h>

namespace millrace::faults {

/// The C library's own functions, behind those that stand before them in this program.
struct SystemCalls {
  int (*open)(const char*, int, mode_t);
  int (*close)(int);
  ssize_t (*read)(int, void*, std::size_t);
  ssize_t (*pread)(int, void*, std::size_t, off_t);
  ssize_t (*write)(int, const void*, std::size_t);
  ssize_t (*pwrite)(int, const void*, std::size_t, off_t);
  int (*fsync)(int);
  int (*fdatasync)(int);
  int (*ftruncate)(int, off_t);
  int (*fallocate)(int, int, off_t, off_t);
  int (*posix_fallocate)(int, off_t, off_t);
  int (*rename)(const char*, const char*);
};

const SystemCalls& system_calls();

}  // namespace millrace::faults
