#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "net/mailbox.hpp"

namespace millrace::http {

/// What both sides of a streamed body know of each other.
struct StreamState {
  std::size_t bytes_max = 0;
  std::atomic<std::size_t> mailed{0};  // on the way to the I/O thread
  std::atomic<std::size_t> queued{0};  // at the I/O thread, not yet taken by the kernel
  std::atomic<bool> gone{false};
};

/// The handler's side.
class StreamHandle final : public ResponseStream {
 public:
  StreamHandle(std::shared_ptr<StreamState> state, std::shared_ptr<Mailbox> mailbox,
               std::shared_ptr<Connection> connection, std::uint64_t ticket);
  ~StreamHandle() override;
  StreamHandle(const StreamHandle&) = delete;
  StreamHandle& operator=(const StreamHandle&) = delete;

  bool write(std::string bytes) override;
  std::size_t pending_bytes() const override;
  bool gone() const override { return state_->gone.load(); }
  void end() override;

 private:
  const std::shared_ptr<StreamState> state_;
  const std::shared_ptr<Mailbox> mailbox_;
  const std::shared_ptr<Connection> connection_;
  const std::uint64_t ticket_;
  std::atomic<bool> ended_{false};
};

}  // namespace millrace::http
