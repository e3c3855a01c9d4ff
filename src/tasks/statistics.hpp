#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace millrace::tasks {

/// Mean and spread of numbers, one at a time and without the cancellation of sums of squares.
/// Source: Welford, "Note on a method for calculating corrected sums of squares and products", Technometrics 1962.
class RunningMoments {
 public:
  void add(double value) noexcept;
  std::uint64_t count() const noexcept { return count_; }
  double mean() const noexcept { return mean_; }
  double sum() const noexcept { return sum_ + compensation_; }
  double min() const noexcept { return min_; }
  double max() const noexcept { return max_; }
  /// Of a sample: divided by n − 1. 0 for fewer than two numbers.
  double standard_deviation() const noexcept;

 private:
  std::uint64_t count_ = 0;
  double mean_ = 0, squares_ = 0;
  double sum_ = 0, compensation_ = 0;  // Neumaier's sum
  double min_ = 0, max_ = 0;
};

/// The `share` quantile (0 to 1) of ascending numbers, interpolated between neighbours; 0 for none.
/// Source: type 7 of Hyndman and Fan, "Sample quantiles in statistical packages", 1996 (as R and NumPy by default).
double quantile(const std::vector<double>& ascending, double share) noexcept;

struct TextCounts {
  std::uint64_t bytes = 0;
  std::uint64_t characters = 0;  // code points of valid UTF-8
  std::uint64_t words = 0;       // separated by ASCII blanks
  std::uint64_t lines = 0;       // a last line without line feed counts; the empty text has none
};
TextCounts count_text(std::string_view text) noexcept;

}  // namespace millrace::tasks
