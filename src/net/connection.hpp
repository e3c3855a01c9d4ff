#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/channel.hpp"
#include "net/io_environment.hpp"
#include "net/stream_handle.hpp"

namespace millrace::http {

/// One client. Reads requests, hands one at a time to the handler, and writes the answers in order.
///
///     reading ── request complete ──► in work ── answer ──► reading
///        │                               └─ answer with a stream ──► streaming ─┐
///        └─ fault, timeout ──► last answer ──► lingering ──► closed ◄───────────┘
///
/// Lingering: after the last answer our side is shut, and what the client still sends is read and dropped for a
/// moment. Closing at once would reset the connection, and the client could lose the answer.
///
/// Threads: the I/O thread, except `deliver`. Ownership: the I/O thread and each outstanding `Responder`.
class Connection final : public ResponseSink, public Pollable, public std::enable_shared_from_this<Connection> {
 public:
  Connection(IoEnvironment& environment, Channel channel, Peer peer);

  void open();
  void on_events(std::uint32_t events) override;
  void deliver(std::uint64_t ticket, Response response) override;
  /// Mail from another thread.
  void receive(Letter& letter);
  /// Closes what takes too long; called about once per second.
  void sweep();
  /// Closes an idle connection; a busy one closes after its answer.
  void drain();
  void close();

  std::size_t slot = 0;  // place in the I/O thread's list

 private:
  struct PendingDelivery {
    std::uint64_t end = 0;  // sent when so many bytes were
    UniqueFunction<void()> failed;
  };

  bool can_process() const noexcept;
  bool is_idle() const noexcept;
  bool wants_read() const noexcept;
  void on_readable();
  void on_end_of_input();
  void discard();
  void consume(std::string_view bytes);
  std::size_t process(std::string_view bytes);
  void advance();
  void dispatch();
  void answer(Response response);
  void open_stream(Response& response);
  void stream_bytes(std::string_view bytes);
  void end_stream();
  void refuse(const Fault& fault);
  void time_out(std::atomic<std::uint64_t>& counter, std::string_view detail);
  void flush();
  void settle_deliveries();
  void finish();
  void hang_up();
  void update_interest();
  void fail_delivery(UniqueFunction<void()>& failed);
  std::string next_request_id();

  IoEnvironment& environment_;
  const std::shared_ptr<Mailbox> mailbox_;  // for `deliver`, which may come after the environment's end
  Channel channel_;
  RequestParser parser_;
  std::shared_ptr<ConnectionWatch> watch_;
  std::shared_ptr<StreamState> stream_;
  std::optional<Response> inline_answer_;
  std::string inbox_;  // read, and not yet parsed because a request is in work
  OutQueue out_;
  std::vector<PendingDelivery> deliveries_;
  std::string request_id_;
  std::string cross_origin_;  // of the request in work; almost always empty
  std::uint64_t id_seed_;
  std::uint64_t ticket_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t sent_before_stall_ = 0;
  SteadyTime phase_started_;  // of the idle time, head, body or lingering
  SteadyTime stalled_since_;  // since when out_ holds something
  std::uint32_t interest_ = 0;
  bool in_work_ = false, answers_head_ = false, stalled_ = false;
  bool read_wants_write_ = false;  // a TLS handshake that cannot read on before it has written
  bool read_paused_ = false;       // TLS may hold decrypted bytes that epoll cannot see
  bool end_of_input_ = false, close_after_flush_ = false, lingering_ = false, closed_ = false;
};

}  // namespace millrace::http
