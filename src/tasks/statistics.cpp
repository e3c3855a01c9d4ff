#include "tasks/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace millrace::tasks {

void RunningMoments::add(double value) noexcept {
  min_ = count_ == 0 ? value : std::min(min_, value);
  max_ = count_ == 0 ? value : std::max(max_, value);
  ++count_;
  const double distance = value - mean_;
  mean_ += distance / static_cast<double>(count_);
  squares_ += distance * (value - mean_);
  const double total = sum_ + value;
  compensation_ += std::abs(sum_) >= std::abs(value) ? (sum_ - total) + value : (value - total) + sum_;
  sum_ = total;
}

double RunningMoments::standard_deviation() const noexcept {
  return count_ < 2 ? 0 : std::sqrt(std::max(0.0, squares_ / static_cast<double>(count_ - 1)));
}

double quantile(const std::vector<double>& ascending, double share) noexcept {
  if (ascending.empty()) return 0;
  const double place = std::clamp(share, 0.0, 1.0) * static_cast<double>(ascending.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const auto above = std::min(below + 1, ascending.size() - 1);
  return std::lerp(ascending[below], ascending[above], place - static_cast<double>(below));
}

TextCounts count_text(std::string_view text) noexcept {
  TextCounts counts;
  counts.bytes = text.size();
  bool in_word = false;
  for (const char c : text) {
    const bool blank = c == ' ' || (c >= '\t' && c <= '\r');
    counts.words += !blank && !in_word ? 1 : 0;
    in_word = !blank;
    counts.lines += c == '\n' ? 1 : 0;
    counts.characters += (static_cast<unsigned char>(c) & 0xc0) != 0x80 ? 1 : 0;
  }
  if (!text.empty() && text.back() != '\n') ++counts.lines;
  return counts;
}

}  // namespace millrace::tasks
