#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

namespace millrace::engine {

/// A heap of hints, the lowest first: places to look at. A hint that came true long ago, or twice, does no harm but for
/// its memory, so nobody takes it out. When they may be half of all, `push` drops those that are not `valid` and those
/// that are there twice: it holds at most twice the valid ones and `few`, at a constant cost for each push.
template <class Hint>
class HintHeap {
 public:
  bool empty() const { return hints_.empty(); }
  std::size_t size() const { return hints_.size(); }
  const Hint& top() const { return hints_.front(); }

  template <class Valid>
  void push(Hint hint, Valid&& valid) {
    if (hints_.size() >= clean_at_) clean(valid);
    hints_.push_back(std::move(hint));
    std::push_heap(hints_.begin(), hints_.end(), std::greater<>{});
  }
  void pop() {
    std::pop_heap(hints_.begin(), hints_.end(), std::greater<>{});
    hints_.pop_back();
  }

  static constexpr std::size_t few = 64;

 private:
  template <class Valid>
  void clean(Valid&& valid) {
    std::erase_if(hints_, [&](const Hint& hint) { return !valid(hint); });
    std::sort(hints_.begin(), hints_.end());  // and so a heap
    hints_.erase(std::unique(hints_.begin(), hints_.end()), hints_.end());
    clean_at_ = std::max(few, 2 * hints_.size());
  }

  std::vector<Hint> hints_;
  std::size_t clean_at_ = few;
};

}  // namespace millrace::engine
