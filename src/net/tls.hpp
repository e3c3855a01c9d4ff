#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <millrace/result.hpp>

struct ssl_st;
struct ssl_ctx_st;

namespace millrace::http {

/// TLS 1.2 or later with the files of an operator, PEM.
struct TlsFiles {
  std::string certificate_chain = {};
  std::string private_key = {};
};

/// How a read or write that must not block went.
enum class IoStatus : std::uint8_t {
  done,         // some bytes moved
  would_block,  // wait until the socket is readable (read) or writable (write)
  wants_write,  // a read that first has to write (TLS handshake)
  closed,       // the peer has closed its side in order
  failed
};
struct IoResult {
  IoStatus status = IoStatus::failed;
  std::size_t size = 0;
};

/// Keys and rules of many TLS connections; copies share them. TLS 1.2 and 1.3, no compression, no renegotiation, no
/// early data; the ciphers are OpenSSL's for its security level 2.
class TlsContext {
 public:
  TlsContext() = default;
  /// Errors: invalid_argument with the file and OpenSSL's reason.
  static Result<TlsContext> server(const TlsFiles& files);
  /// ca_file  PEM with trusted roots; empty = the system's.
  static Result<TlsContext> client(const std::string& ca_file, bool verify_peer);

  explicit operator bool() const noexcept { return context_ != nullptr; }
  ssl_ctx_st* get() const noexcept { return context_.get(); }

 private:
  explicit TlsContext(std::shared_ptr<ssl_ctx_st> context) : context_(std::move(context)) {}
  std::shared_ptr<ssl_ctx_st> context_;
};

/// TLS over a non-blocking socket that somebody else owns. Never raises SIGPIPE.
///
/// Threads: one at a time.
class TlsStream {
 public:
  /// The server side, which waits for a hello.
  TlsStream(const TlsContext& context, int fd);
  /// The client side; `server_name` is checked against the certificate unless the context does not verify.
  TlsStream(const TlsContext& context, int fd, const std::string& server_name);

  /// Both do the handshake first.
  IoResult read(char* to, std::size_t size);
  IoResult write(std::string_view bytes);
  /// The handshake alone: done, would_block, wants_write or failed.
  IoStatus handshake();
  bool handshake_done() const noexcept;
  /// Says good-bye, as far as the socket takes it.
  void shutdown() noexcept;
  /// Why the last call failed, for people.
  std::string failure() const;

 private:
  struct Free {
    void operator()(ssl_st* ssl) const noexcept;
  };
  IoResult outcome(int returned, std::size_t size, bool reading);
  std::unique_ptr<ssl_st, Free> ssl_;
  std::string failure_;
};

}  // namespace millrace::http
