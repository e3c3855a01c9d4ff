#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/unique_function.hpp"

namespace millrace::http {

enum class Method : std::uint8_t { get, head, post, put, patch, delete_, options, other };

/// `GET` for `Method::get`; `other` gives an empty text.
std::string_view to_text(Method method) noexcept;
/// Methods are case-sensitive: `get` is `Method::other`.
Method method_of(std::string_view text) noexcept;
/// GET, HEAD and OPTIONS.
bool is_safe(Method method) noexcept;

/// Who is at the other end of a connection. Never taken from a header.
struct Peer {
  std::string address = {};  // `127.0.0.1:52100`, `[::1]:52100` or `unix`
  bool is_loopback = false;  // 127.0.0.0/8, ::1 or a Unix socket
  bool is_unix = false;
  bool is_tls = false;
};

/// Tells a handler that waits (a long poll) that nobody is left to hear the answer.
///
/// Threads: any. Ownership: shared by the connection and the requests that came over it.
class ConnectionWatch {
 public:
  explicit ConnectionWatch(Peer peer = {}) : peer_(std::move(peer)) {}
  ConnectionWatch(const ConnectionWatch&) = delete;
  ConnectionWatch& operator=(const ConnectionWatch&) = delete;

  const Peer& peer() const noexcept { return peer_; }
  bool gone() const;

  /// Calls `callback` once when the peer has closed its side or the server gives the connection up; at once, on
  /// the calling thread, if that is so already. The next call replaces it and the server forgets it once the request
  /// is answered, so a request sets at most one. It runs on an I/O thread and must not block.
  void on_gone(UniqueFunction<void()> callback);
  /// Drops the callback. One that already runs is not waited for.
  void forget();
  /// For the owner of the connection: runs the callback, now or as soon as one is set.
  void mark_gone();

 private:
  const Peer peer_;
  mutable std::mutex mutex_;
  bool gone_ = false;
  UniqueFunction<void()> callback_;
};

/// One request, complete with its body and already checked (see `refusal` in refusal.hpp). Owns its bytes.
class Request {
 public:
  Request() = default;
  /// A request as the server would make it, for tests and for calls from inside. `fields` are complete lines:
  /// `"Host: a\r\nAccept: b\r\n"`.
  Request(std::string_view method, std::string_view target, std::string_view fields = {}, std::string body = {});

  Method method = Method::get;
  std::string body = {};
  std::string request_id = {};                  // the client's `X-Request-Id` if it is `[A-Za-z0-9_-]{1,64}`, or empty
  std::shared_ptr<ConnectionWatch> watch = {};  // never null in a handler

  const Peer& peer() const noexcept;
  bool is_loopback() const noexcept { return peer().is_loopback; }
  bool is_unix() const noexcept { return peer().is_unix; }
  /// As it stood in the request line.
  std::string_view method_text() const noexcept { return part(0, method_size_); }
  /// Path and query as they were sent, still percent-encoded: `/api/v1/tasks?limit=5`.
  std::string_view target() const noexcept { return part(target_at_, target_size_); }
  std::string_view path() const noexcept;
  /// What follows `?`, or empty.
  std::string_view query() const noexcept;

  /// The decoded parts between slashes: `/api/v1/tasks/a%20b` gives api, v1, tasks, `a b`. A trailing slash adds
  /// nothing, doubled slashes give empty parts. `%2F` stays inside its part.
  std::vector<std::string> path_segments() const;
  /// The decoded first value of `name` in the query (`+` is a space); `?a` has the value "".
  std::optional<std::string> query_value(std::string_view name) const;
  /// All decoded pairs, in order.
  std::vector<std::pair<std::string, std::string>> query_values() const;

  /// The value of a field without surrounding blanks, by its name in any case; the first if it is repeated.
  std::optional<std::string_view> find_header(std::string_view name) const noexcept;
  /// The same, empty when absent.
  std::string_view header(std::string_view name) const noexcept;
  /// All fields in order.
  std::vector<std::pair<std::string_view, std::string_view>> headers() const;

 private:
  friend class RequestBuilder;
  std::string_view part(std::size_t at, std::size_t size) const noexcept {
    return std::string_view{head_}.substr(at, size);
  }

  std::string head_ = {};  // request line and fields as received; at most the header limit, so 32 bits suffice
  std::uint32_t method_size_ = 0, target_at_ = 0, target_size_ = 0, fields_at_ = 0;
};

/// The open body of a streamed response (Server-Sent Events), sent chunk by chunk.
///
/// Threads: any. The connection is closed at its end. Destroying the last reference ends it.
class ResponseStream {
 public:
  virtual ~ResponseStream() = default;
  /// Queues bytes; false if the peer is gone or more than the stream limit (1 MiB) waits, then nothing is queued.
  virtual bool write(std::string bytes) = 0;
  /// Bytes queued and not yet given to the kernel: a producer skips ahead when its client is slow.
  virtual std::size_t pending_bytes() const = 0;
  virtual bool gone() const = 0;
  virtual void end() = 0;
};

/// One response. The server adds `Content-Length`, `Connection` and the request id itself.
struct Response {
  int status = 200;
  std::string_view content_type = "application/json";  // static storage; empty for none
  std::string body = {};
  std::string fields = {};  // complete lines, appended by `add_header`
  bool close = false;       // end the connection after this response
  /// Called once, on an I/O thread, if the response could not be handed to the kernel completely: the peer is gone.
  UniqueFunction<void()> delivery_failed = {};
  /// Set for a streamed body; called once on an I/O thread with the open stream (`body` is sent first).
  UniqueFunction<void(std::shared_ptr<ResponseStream>)> stream = {};

  /// Appends a header field. Control characters in `value` become blanks, so that nobody can add lines.
  Response& add_header(std::string_view name, std::string_view value) &;
  Response&& add_header(std::string_view name, std::string_view value) &&;
  /// The value in `fields`, empty when absent. For tests and middleware.
  std::string_view header(std::string_view name) const noexcept;
};

/// Where responses go; implemented by the server's connections.
class ResponseSink {
 public:
  virtual ~ResponseSink() = default;
  /// Threads: any; never blocks on the peer.
  virtual void deliver(std::uint64_t ticket, Response response) = 0;
};

/// The right and the duty to answer one request, exactly once, from any thread. Destroyed unused it answers 500.
class Responder {
 public:
  Responder() = default;
  Responder(std::shared_ptr<ResponseSink> sink, std::uint64_t ticket) : sink_(std::move(sink)), ticket_(ticket) {}
  /// For tests and calls from inside: the answer goes to `callback`.
  explicit Responder(UniqueFunction<void(Response)> callback);
  Responder(Responder&&) noexcept = default;
  Responder& operator=(Responder&& other) noexcept;
  ~Responder();

  void operator()(Response response);
  explicit operator bool() const noexcept { return sink_ != nullptr; }

 private:
  std::shared_ptr<ResponseSink> sink_;
  std::uint64_t ticket_ = 0;
};

/// Called on an I/O thread (concurrently when there are several); must not block. It may throw: that answers 500.
using Handler = std::function<void(Request, Responder)>;

}  // namespace millrace::http
