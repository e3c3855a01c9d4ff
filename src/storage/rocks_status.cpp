#include "storage/rocks_status.hpp"

#include <string>

namespace millrace::storage {

namespace {

std::string describe(std::string_view what, const rocksdb::Status& status) {
  return "cannot " + std::string(what) + ": " + status.ToString();
}

}  // namespace

Error read_error(std::string_view what, const rocksdb::Status& status) {
  auto code = ErrorCode::unavailable;
  if (status.IsCorruption()) code = ErrorCode::corrupt;
  if (status.IsNoSpace()) code = ErrorCode::disk_low;
  return {code, describe(what, status)};
}

Error write_error(std::string_view what, const rocksdb::Status& status) {
  const bool untouched = status.IsIncomplete();  // only with `no_slowdown`, before anything was written
  return {untouched ? ErrorCode::overloaded : ErrorCode::durability_unknown, describe(what, status)};
}

}  // namespace millrace::storage
