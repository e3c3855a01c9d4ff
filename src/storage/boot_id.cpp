#include "storage/boot_id.hpp"

#include <fstream>

namespace millrace::storage {

std::string boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

}  // namespace millrace::storage
