// Definitions in the program stand before those of shared libraries, for our code and for RocksDB's alike. They ask
// `FaultyDisk` for its verdict, hand the call on, and tell it what happened. Syncs are not handed on: what counts as on
// the disk is what `FaultyDisk` says.
#undef _FORTIFY_SOURCE
#include "tests/faults/system_calls.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include "tests/faults/faulty_disk.hpp"

namespace millrace::faults {

namespace {

template <class Function>
void find(Function& function, const char* name) {
  function = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

FaultyDisk& disk() { return FaultyDisk::instance(); }

// Writes of one file do not run at the same time here, so its offset can be asked for afterwards.
template <class Write>
ssize_t cut_or_fail(int descriptor, std::size_t size, Write write) {
  if (!disk().watches(descriptor)) return write(size);
  bool halved = false;
  errno = disk().verdict(FaultyDisk::Need::write, &halved);
  if (errno != 0) return -1;
  return write(halved ? std::max<std::size_t>(size / 2, 1) : size);
}

int sync(int descriptor, int (*real)(int)) {
  if (!disk().watches(descriptor)) return real(descriptor);
  errno = disk().verdict(FaultyDisk::Need::sync);
  if (errno != 0) {
    disk().sync_failed(descriptor);
    return -1;
  }
  disk().synced(descriptor);
  return 0;
}

}  // namespace

const SystemCalls& system_calls() {
  static const SystemCalls calls = [] {
    SystemCalls found{};
    find(found.open, "open");
    find(found.close, "close");
    find(found.read, "read");
    find(found.pread, "pread");
    find(found.write, "write");
    find(found.pwrite, "pwrite");
    find(found.fsync, "fsync");
    find(found.fdatasync, "fdatasync");
    find(found.ftruncate, "ftruncate");
    find(found.fallocate, "fallocate");
    find(found.posix_fallocate, "posix_fallocate");
    find(found.rename, "rename");
    return found;
  }();
  return calls;
}

}  // namespace millrace::faults

using millrace::faults::disk;
using millrace::faults::FaultyDisk;
using millrace::faults::system_calls;

extern "C" {

int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const auto mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  if (!disk().watches(path)) return system_calls().open(path, flags, mode);
  errno = disk().verdict((flags & O_CREAT) != 0 ? FaultyDisk::Need::space : FaultyDisk::Need::nothing);
  if (errno != 0) return -1;
  const int descriptor = system_calls().open(path, flags, mode);
  if (descriptor >= 0) disk().opened(descriptor, (flags & O_TRUNC) != 0);
  return descriptor;
}

int close(int descriptor) {
  disk().closed(descriptor);
  return system_calls().close(descriptor);
}

ssize_t read(int descriptor, void* buffer, size_t size) {
  if (disk().watches(descriptor) && (errno = disk().verdict(FaultyDisk::Need::nothing)) != 0) return -1;
  return system_calls().read(descriptor, buffer, size);
}

ssize_t pread(int descriptor, void* buffer, size_t size, off_t offset) {
  if (disk().watches(descriptor) && (errno = disk().verdict(FaultyDisk::Need::nothing)) != 0) return -1;
  return system_calls().pread(descriptor, buffer, size, offset);
}

ssize_t write(int descriptor, const void* bytes, size_t size) {
  return millrace::faults::cut_or_fail(descriptor, size, [&](size_t allowed) {
    const auto put = system_calls().write(descriptor, bytes, allowed);
    if (put > 0 && disk().watches(descriptor))
      disk().changed(descriptor, static_cast<std::uint64_t>(::lseek(descriptor, 0, SEEK_CUR) - put),
                     static_cast<std::uint64_t>(put));
    return put;
  });
}

ssize_t pwrite(int descriptor, const void* bytes, size_t size, off_t offset) {
  return millrace::faults::cut_or_fail(descriptor, size, [&](size_t allowed) {
    const auto put = system_calls().pwrite(descriptor, bytes, allowed, offset);
    if (put > 0) disk().changed(descriptor, static_cast<std::uint64_t>(offset), static_cast<std::uint64_t>(put));
    return put;
  });
}

int fsync(int descriptor) { return millrace::faults::sync(descriptor, system_calls().fsync); }
int fdatasync(int descriptor) { return millrace::faults::sync(descriptor, system_calls().fdatasync); }

int ftruncate(int descriptor, off_t size) {
  if (disk().watches(descriptor) && (errno = disk().verdict(FaultyDisk::Need::space)) != 0) return -1;
  const int done = system_calls().ftruncate(descriptor, size);
  if (done == 0) disk().resized(descriptor);
  return done;
}

int fallocate(int descriptor, int mode, off_t offset, off_t size) {
  if (disk().watches(descriptor) && (errno = disk().verdict(FaultyDisk::Need::space)) != 0) return -1;
  const int done = system_calls().fallocate(descriptor, mode, offset, size);
  if (done == 0) disk().resized(descriptor);
  return done;
}

int posix_fallocate(int descriptor, off_t offset, off_t size) {
  const int error = disk().watches(descriptor) ? disk().verdict(FaultyDisk::Need::space) : 0;
  if (error != 0) return error;
  const int done = system_calls().posix_fallocate(descriptor, offset, size);
  if (done == 0) disk().resized(descriptor);
  return done;
}

// Debian builds RocksDB with assertions on, and some of them do not hold after a failed write. The process ends there,
// so it is one more way to lose power: the program that started it looks at what is left.
void __assert_fail(const char*, const char*, unsigned, const char*) noexcept {
  disk().heal();
  disk().lose_power();
  ::_exit(FaultyDisk::ended_by_library);
}

int rename(const char* from, const char* to) {
  if (disk().watches(from) && (errno = disk().verdict(FaultyDisk::Need::space)) != 0) return -1;
  return system_calls().rename(from, to);
}
}
