#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include <millrace/result.hpp>

#include "net/client_url.hpp"
#include "net/response_reader.hpp"
#include "net/socket.hpp"
#include "net/tls.hpp"

namespace millrace::http {

using SteadyTime = std::chrono::steady_clock::time_point;

/// Lets a thread wait for a socket until a deadline, or until somebody cancels. Shared by all calls of a client.
class Canceller {
 public:
  Canceller();
  /// For ever. From any thread.
  void cancel() noexcept;
  bool cancelled() const noexcept;
  /// Waits for `events` (POLLIN, POLLOUT). Errors: timed_out, unavailable (cancelled).
  [[nodiscard]] Result<short> wait(int fd, short events, SteadyTime deadline) const;

 private:
  UniqueFd event_;
};

/// One connection of the client, used by one call at a time.
class ClientConnection {
 public:
  /// Connects, with TLS if `tls` holds a context. Errors: unavailable (also past the deadline: nothing was sent).
  static Result<std::unique_ptr<ClientConnection>> connect(const ClientUrl& url, const TlsContext& tls,
                                                           SteadyTime deadline, const Canceller& canceller);

  /// Sends `text` then `body`, and reads until `reader` is done. Errors: those of the reader, timed_out,
  /// durability_unknown (the connection broke or the call was cancelled).
  [[nodiscard]] Result<void> exchange(std::string_view text, std::string_view body, ResponseReader& reader,
                                      SteadyTime deadline, const Canceller& canceller);

  /// Still open and silent, as a kept connection should be.
  bool is_fresh() const;
  /// Whether everything of the last request was sent.
  bool sent_all() const noexcept { return sent_all_; }
  bool is_tls() const noexcept { return tls_.has_value(); }

 private:
  explicit ClientConnection(UniqueFd fd) : fd_(std::move(fd)), scratch_(scratch_size) {}

  static constexpr std::size_t scratch_size = 64 * 1024;
  Result<void> handshake(SteadyTime deadline, const Canceller& canceller);
  /// False if the server answers (or hangs up) before it has read everything.
  Result<bool> send(std::string_view text, std::string_view body, SteadyTime deadline, const Canceller& canceller);
  IoResult write_some(std::string_view text, std::string_view body);
  IoResult read_some();

  UniqueFd fd_;
  std::optional<TlsStream> tls_;
  std::vector<char> scratch_;
  bool sent_all_ = false;
};

}  // namespace millrace::http
