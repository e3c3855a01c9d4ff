#pragma once

#include <string_view>

#include <rocksdb/slice.h>
#include <rocksdb/status.h>

#include <millrace/error.hpp>

namespace millrace::storage {

inline rocksdb::Slice slice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
inline std::string_view view(const rocksdb::Slice& bytes) { return {bytes.data(), bytes.size()}; }

/// The error of a failed open or read. `what` is what was tried: "open ./millrace-data/db".
Error read_error(std::string_view what, const rocksdb::Status& status);

/// The error of a failed change, after which nobody knows what is on disk (F86); a stall only if nothing was done.
Error write_error(std::string_view what, const rocksdb::Status& status);

}  // namespace millrace::storage
