#include "terminal.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <unistd.h>

namespace millrace::app {
namespace {

constexpr std::chrono::milliseconds redraw{100};
constexpr std::size_t bar_width = 30;

/// Code points, near enough to columns for names and texts.
std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

template <class... Values>
std::string formatted(const char* format, Values... values) {
  std::array<char, 64> buffer;
  // The formats below are literals of this file.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
  const int size = std::snprintf(buffer.data(), buffer.size(), format, values...);
#pragma GCC diagnostic pop
  return {buffer.data(), static_cast<std::size_t>(std::clamp(size, 0, static_cast<int>(buffer.size()) - 1))};
}

}  // namespace

void print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void print_line(std::string_view text) { print(std::string(text).append("\n")); }

bool output_is_terminal() { return ::isatty(STDOUT_FILENO) == 1; }

bool can_ask() { return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1; }

std::string Table::text() const {
  std::vector<std::size_t> widths;
  for (const auto& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns(row[i]));
  }
  std::string out;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string blanks(widths[i] - columns(row[i]), ' ');
      const bool right = i < right_.size() && right_[i];
      if (i > 0) line.append("  ");
      line.append(right ? blanks + row[i] : row[i] + blanks);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out.append(line).append("\n");
  }
  return out;
}

bool ask(const std::string& question) {
  std::fprintf(stderr, "%s [y/N] ", question.c_str());
  std::fflush(stderr);
  const int first = std::getchar();
  for (int c = first; c != '\n' && c != EOF;) c = std::getchar();
  return first == 'y' || first == 'Y';
}

ProgressBar::ProgressBar(std::string what, std::uint64_t total)
    : what_(std::move(what)), total_(total), shown_(::isatty(STDERR_FILENO) == 1) {}

ProgressBar::~ProgressBar() {
  if (!shown_ || drawn_ == std::chrono::steady_clock::time_point{}) return;
  draw();
  std::fputc('\n', stderr);
}

void ProgressBar::update(std::uint64_t done) {
  done_ = std::min(done, total_);
  const auto now = std::chrono::steady_clock::now();
  if (!shown_ || now - drawn_ < redraw) return;
  drawn_ = now;
  draw();
}

void ProgressBar::draw() {
  const auto share = total_ == 0 ? 1.0 : static_cast<double>(done_) / static_cast<double>(total_);
  const auto full = static_cast<std::size_t>(share * static_cast<double>(bar_width));
  const auto passed = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count();
  const auto rate = passed > 0 ? static_cast<double>(done_) / passed : 0;
  std::fprintf(stderr, "\r%s [%s%s] %s / %s  %.0f/s   ", what_.c_str(), std::string(full, '#').c_str(),
               std::string(bar_width - full, '.').c_str(), grouped(done_).c_str(), grouped(total_).c_str(), rate);
  std::fflush(stderr);
}

std::string grouped(std::uint64_t number) {
  auto text = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3)
    text.insert(static_cast<std::size_t>(at), ",");
  return text;
}

std::string duration_text(std::chrono::milliseconds time) {
  const auto ms = time.count();
  if (ms < 1000) return std::to_string(ms) + " ms";
  const auto seconds = static_cast<double>(ms) / 1000;
  if (seconds < 100) return formatted("%.1f s", seconds);
  if (seconds < 100 * 60) return std::to_string(ms / 60'000) + " min";
  if (seconds < 48 * 3600) return std::to_string(ms / 3'600'000) + " h";
  return std::to_string(ms / 86'400'000) + " d";
}

std::string bytes_text(std::uint64_t bytes) {
  constexpr std::array<const char*, 4> units{"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return std::to_string(bytes) + " B";
  auto value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < units.size(); ++unit) value /= 1024;
  return formatted("%.1f %s", value, units[unit]);
}

std::string harmless(std::string_view text, std::size_t bytes_max) {
  std::string out(text.substr(0, bytes_max));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  if (text.size() > bytes_max) out.append("…");
  return out;
}

}  // namespace millrace::app
