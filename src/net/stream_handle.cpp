#include "net/stream_handle.hpp"

#include <utility>

#include "net/connection.hpp"

namespace millrace::http {

StreamHandle::StreamHandle(std::shared_ptr<StreamState> state, std::shared_ptr<Mailbox> mailbox,
                           std::shared_ptr<Connection> connection, std::uint64_t ticket)
    : state_(std::move(state)), mailbox_(std::move(mailbox)), connection_(std::move(connection)), ticket_(ticket) {}

StreamHandle::~StreamHandle() { end(); }

bool StreamHandle::write(std::string bytes) {
  if (gone() || ended_.load() || pending_bytes() + bytes.size() > state_->bytes_max) return false;
  if (bytes.empty()) return true;
  const auto size = bytes.size();
  state_->mailed += size;
  if (mailbox_->send({connection_, ticket_, std::move(bytes)})) return true;
  state_->mailed -= size;
  return false;
}

std::size_t StreamHandle::pending_bytes() const { return state_->mailed.load() + state_->queued.load(); }

void StreamHandle::end() {
  if (!ended_.exchange(true)) mailbox_->send({connection_, ticket_, StreamEnd{}});
}

}  // namespace millrace::http
