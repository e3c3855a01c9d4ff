#include "net/out_queue.hpp"

#include <utility>

namespace millrace::http {
namespace {

constexpr std::size_t copied_max = 4 * 1024;
constexpr std::size_t gathered_max = 64 * 1024;
constexpr std::size_t kept_capacity_max = 4 * 1024;

iovec slice_of(const char* data, std::size_t size) noexcept { return {const_cast<char*>(data), size}; }

}  // namespace

std::string& OutQueue::text() {
  if (rest_.empty() && first_.size() < gathered_max) return first_;
  if (rest_.empty() || rest_.back().size() >= gathered_max) rest_.emplace_back();
  return rest_.back();
}

void OutQueue::append(std::string&& bytes) {
  if (bytes.size() <= copied_max) return void(text().append(bytes));
  rest_.push_back(std::move(bytes));
}

std::size_t OutQueue::size() const noexcept {
  std::size_t total = first_.size() - consumed_;
  for (const auto& piece : rest_) total += piece.size();
  return total;
}

std::size_t OutQueue::gather(std::span<iovec> slices) const noexcept {
  std::size_t count = 0;
  if (consumed_ < first_.size()) slices[count++] = slice_of(first_.data() + consumed_, first_.size() - consumed_);
  for (auto piece = rest_.begin(); piece != rest_.end() && count < slices.size(); ++piece) {
    if (!piece->empty()) slices[count++] = slice_of(piece->data(), piece->size());
  }
  return count;
}

std::string_view OutQueue::front() const noexcept {
  iovec slice{};
  return gather({&slice, 1}) == 0 ? std::string_view{}
                                  : std::string_view{static_cast<const char*>(slice.iov_base), slice.iov_len};
}

void OutQueue::consume(std::size_t size) noexcept {
  consumed_ += size;
  while (consumed_ >= first_.size() && !rest_.empty()) {
    consumed_ -= first_.size();
    first_ = std::move(rest_.front());
    rest_.erase(rest_.begin());
  }
  if (consumed_ < first_.size()) return;
  consumed_ = 0;
  first_.clear();
  if (first_.capacity() > kept_capacity_max) first_ = {};
}

}  // namespace millrace::http
