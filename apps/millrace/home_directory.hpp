#pragma once

#include <filesystem>

#include <millrace/result.hpp>

namespace millrace::app {

/// A folder of this process: the data directory, or, for a broker that has none, a temporary one that goes with it.
/// Movable.
class HomeDirectory {
 public:
  HomeDirectory() = default;
  /// Somebody else's, which stays.
  explicit HomeDirectory(std::filesystem::path path) : path_(std::move(path)) {}
  /// Errors: unavailable.
  static Result<HomeDirectory> temporary();
  HomeDirectory(HomeDirectory&& other) noexcept;
  HomeDirectory& operator=(HomeDirectory&& other) noexcept;
  ~HomeDirectory();

  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
  bool temporary_ = false;
};

}  // namespace millrace::app
