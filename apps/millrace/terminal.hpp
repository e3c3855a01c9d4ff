#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// What people see: tables, questions and progress. Programs get JSON instead.
namespace millrace::app {

/// Writes to standard output, at once.
void print(std::string_view text);
void print_line(std::string_view text);
bool output_is_terminal();
/// Whether somebody is there to answer a question.
bool can_ask();

/// Rows under headings, columns as wide as their widest cell. Numbers are put right by `right`.
class Table {
 public:
  explicit Table(std::vector<std::string> headings, std::vector<bool> right = {})
      : right_(std::move(right)), rows_{std::move(headings)} {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  bool empty() const noexcept { return rows_.size() == 1; }
  std::string text() const;

 private:
  std::vector<bool> right_;
  std::vector<std::vector<std::string>> rows_;
};

/// Asks a yes-or-no question on the terminal; no is the default.
bool ask(const std::string& question);

/// How far long work is, on one line of standard error that is drawn again; nothing when that is no terminal.
class ProgressBar {
 public:
  ProgressBar(std::string what, std::uint64_t total);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void update(std::uint64_t done);

 private:
  void draw();
  const std::string what_;
  const std::uint64_t total_;
  const bool shown_;
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point drawn_{};
  std::uint64_t done_ = 0;
};

/// `1,234,567`.
std::string grouped(std::uint64_t number);
/// `850 ms`, `12.3 s`, `5 min`, `3 h`, `2 d`.
std::string duration_text(std::chrono::milliseconds time);
/// `1.2 MiB`.
std::string bytes_text(std::uint64_t bytes);
/// What a stranger's text may do on a terminal: control characters become spaces, and it is cut at `bytes_max`.
std::string harmless(std::string_view text, std::size_t bytes_max = 200);

}  // namespace millrace::app
