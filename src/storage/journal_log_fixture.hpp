#pragma once

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "storage/journal_log.hpp"
#include "storage/temporary_directory.hpp"

namespace millrace::storage {

inline constexpr std::uint64_t small_segment = 64 << 10;

inline std::string key_of(int number) {
  char key[16];
  std::snprintf(key, sizeof key, "%06d", number);
  return key;
}

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string bytes(std::filesystem::file_size(path), '\0');
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return bytes;
}

inline void write_file(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

/// A log with small segments, whose records can be told from their number.
class JournalLogTest : public testing::Test {
 protected:
  Result<std::unique_ptr<JournalLog>> try_open(AcceptLoss accepted = AcceptLoss::torn_tail) {
    meta_.clear();
    return JournalLog::open(path_, options_, accepted, [this](const Write::Change& change) {
      meta_.emplace_back(std::string(change.key), std::string(change.value));
    });
  }

  void open(AcceptLoss accepted = AcceptLoss::torn_tail) {
    log_.reset();
    log_ = try_open(accepted).value();
  }

  void append(int number, std::size_t bytes = 100, Sync sync = Sync::disk) {
    Write write;
    write.put(Family::journal, key_of(number), std::string(bytes, static_cast<char>('a' + number % 26)));
    log_->append(write, sync).value();
  }

  void cut(int number) {
    Write write;
    write.erase_range(Family::journal, "", key_of(number));
    log_->append(write, Sync::disk).value();
    log_->reuse([] { return Result<void>{}; }).value();
  }

  std::vector<int> keys() {
    std::vector<int> keys;
    log_->scan("", "",
               [&](auto key, auto value) {
                 EXPECT_EQ(value, std::string(value.size(), static_cast<char>('a' + std::stoi(std::string(key)) % 26)));
                 return keys.push_back(std::stoi(std::string(key))), true;
               })
        .value();
    return keys;
  }

  std::vector<std::filesystem::path> files() {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      if (segment_number(entry.path())) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
  }

  TemporaryDirectory directory_{Medium::memory};
  std::filesystem::path path_ = directory_.path() / "log";
  JournalOptions options_{small_segment, 4 * small_segment};
  std::vector<std::pair<std::string, std::string>> meta_;
  std::unique_ptr<JournalLog> log_;
};

}  // namespace millrace::storage
