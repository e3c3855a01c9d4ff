#include "net/tls.hpp"

#include <cerrno>
#include <cstdint>
#include <cstring>

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

namespace millrace::http {
namespace {

std::string openssl_failure() {
  const auto code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "connection closed";
  const char* reason = ERR_reason_error_string(code);
  return reason ? reason : "error " + std::to_string(code);
}

int fd_of(BIO* bio) noexcept { return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio))); }

bool would_block(int error_number) noexcept { return error_number == EAGAIN || error_number == EINTR; }

int bio_write(BIO* bio, const char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  const auto sent = ::send(fd_of(bio), bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (sent < 0 && would_block(errno)) BIO_set_retry_write(bio);
  return static_cast<int>(sent);
}

int bio_read(BIO* bio, char* to, int size) {
  BIO_clear_retry_flags(bio);
  const auto received = ::recv(fd_of(bio), to, static_cast<std::size_t>(size), 0);
  if (received < 0 && would_block(errno)) BIO_set_retry_read(bio);
  return static_cast<int>(received);
}

long bio_control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

/// OpenSSL's own socket BIO writes without MSG_NOSIGNAL, and a library may not change the process's signals.
BIO_METHOD* quiet_socket_method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "millrace socket");
    BIO_meth_set_write(made, bio_write);
    BIO_meth_set_read(made, bio_read);
    BIO_meth_set_ctrl(made, bio_control);
    return made;
  }();
  return method;
}

ssl_st* new_stream(const TlsContext& context, int fd) {
  SSL* ssl = SSL_new(context.get());
  BIO* bio = BIO_new(quiet_socket_method());
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(fd)));
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl, bio, bio);
  return ssl;
}

std::shared_ptr<SSL_CTX> new_context(const SSL_METHOD* method) {
  std::shared_ptr<SSL_CTX> context{SSL_CTX_new(method), &SSL_CTX_free};
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  // Partial writes and moving buffers: the queue of unsent bytes may grow and move between two attempts.
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  return context;
}

int select_http_1_1(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                    unsigned int in_size, void*) {
  static constexpr unsigned char ours[] = "\x08http/1.1";
  unsigned char* selected = nullptr;
  if (SSL_select_next_proto(&selected, out_size, ours, sizeof ours - 1, in, in_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *out = selected;
  return SSL_TLSEXT_ERR_OK;
}

Error bad_file(const std::string& file) {
  return {ErrorCode::invalid_argument, file + ": " + openssl_failure(), "tls"};
}

}  // namespace

Result<TlsContext> TlsContext::server(const TlsFiles& files) {
  ERR_clear_error();
  auto context = new_context(TLS_server_method());
  SSL_CTX_set_options(context.get(), SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_alpn_select_cb(context.get(), select_http_1_1, nullptr);
  if (SSL_CTX_use_certificate_chain_file(context.get(), files.certificate_chain.c_str()) != 1) {
    return bad_file(files.certificate_chain);
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), files.private_key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context.get()) != 1) {
    return bad_file(files.private_key);
  }
  return TlsContext{std::move(context)};
}

Result<TlsContext> TlsContext::client(const std::string& ca_file, bool verify_peer) {
  ERR_clear_error();
  auto context = new_context(TLS_client_method());
  SSL_CTX_set_verify(context.get(), verify_peer ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  const int loaded = ca_file.empty() ? SSL_CTX_set_default_verify_paths(context.get())
                                     : SSL_CTX_load_verify_locations(context.get(), ca_file.c_str(), nullptr);
  if (loaded != 1) return bad_file(ca_file);
  return TlsContext{std::move(context)};
}

void TlsStream::Free::operator()(ssl_st* ssl) const noexcept { SSL_free(ssl); }

TlsStream::TlsStream(const TlsContext& context, int fd) : ssl_(new_stream(context, fd)) {
  SSL_set_accept_state(ssl_.get());
}

TlsStream::TlsStream(const TlsContext& context, int fd, const std::string& server_name)
    : ssl_(new_stream(context, fd)) {
  SSL_set_connect_state(ssl_.get());
  unsigned char address[16];
  const bool is_address =
      inet_pton(AF_INET, server_name.c_str(), address) == 1 || inet_pton(AF_INET6, server_name.c_str(), address) == 1;
  if (is_address) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), server_name.c_str());
  } else {
    SSL_set_tlsext_host_name(ssl_.get(), server_name.c_str());
    SSL_set1_host(ssl_.get(), server_name.c_str());
  }
}

IoResult TlsStream::outcome(int returned, std::size_t size, bool reading) {
  if (returned == 1) return {IoStatus::done, size};
  switch (SSL_get_error(ssl_.get(), returned)) {
    case SSL_ERROR_WANT_READ:
      return {IoStatus::would_block, 0};
    case SSL_ERROR_WANT_WRITE:
      return {reading ? IoStatus::wants_write : IoStatus::would_block, 0};
    case SSL_ERROR_ZERO_RETURN:
      return {IoStatus::closed, 0};
    default:
      break;
  }
  const auto verdict = SSL_get_verify_result(ssl_.get());
  failure_ = verdict == X509_V_OK ? openssl_failure() : X509_verify_cert_error_string(verdict);
  return {IoStatus::failed, 0};
}

IoResult TlsStream::read(char* to, std::size_t size) {
  ERR_clear_error();
  std::size_t moved = 0;
  const int returned = SSL_read_ex(ssl_.get(), to, size, &moved);
  return outcome(returned, moved, true);
}

IoResult TlsStream::write(std::string_view bytes) {
  ERR_clear_error();
  std::size_t moved = 0;
  const int returned = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &moved);
  return outcome(returned, moved, false);
}

IoStatus TlsStream::handshake() {
  ERR_clear_error();
  return outcome(SSL_do_handshake(ssl_.get()), 0, true).status;
}

bool TlsStream::handshake_done() const noexcept { return SSL_is_init_finished(ssl_.get()) == 1; }

void TlsStream::shutdown() noexcept {
  ERR_clear_error();
  if (handshake_done()) SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

std::string TlsStream::failure() const { return failure_; }

}  // namespace millrace::http
