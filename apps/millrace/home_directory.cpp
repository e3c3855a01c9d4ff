#include "home_directory.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

namespace millrace::app {

Result<HomeDirectory> HomeDirectory::temporary() {
  std::error_code error;
  auto parent = std::filesystem::temp_directory_path(error);
  if (error) parent = "/tmp";
  std::string name = (parent / "millrace-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr)
    return Error{
        ErrorCode::unavailable, "cannot make a folder in " + parent.string() + ": " + std::strerror(errno), {}};
  HomeDirectory home{std::filesystem::path(name)};
  home.temporary_ = true;
  return home;
}

HomeDirectory::HomeDirectory(HomeDirectory&& other) noexcept
    : path_(std::move(other.path_)), temporary_(std::exchange(other.temporary_, false)) {}

HomeDirectory& HomeDirectory::operator=(HomeDirectory&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(temporary_, other.temporary_);
  return *this;
}

HomeDirectory::~HomeDirectory() {
  std::error_code ignored;
  if (temporary_) std::filesystem::remove_all(path_, ignored);
}

}  // namespace millrace::app
