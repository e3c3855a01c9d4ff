#include "net/tls.hpp"

#include <cstdio>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "net/http_client.hpp"
#include "net/server_fixture.hpp"

namespace millrace::http {
namespace {

using namespace testing;
using namespace std::chrono_literals;
using ::testing::HasSubstr;

template <class T, auto free_function>
struct Freeing {
  void operator()(T* value) const { free_function(value); }
};
using Key = std::unique_ptr<EVP_PKEY, Freeing<EVP_PKEY, EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freeing<X509, X509_free>>;
using File = std::unique_ptr<std::FILE, Freeing<std::FILE, std::fclose>>;

/// Writes a self-signed certificate for `names` (`DNS:localhost,IP:127.0.0.1`) and its key.
void write_certificate(const TlsFiles& files, const std::string& names, long valid_seconds = 3600) {
  const Key key{EVP_EC_gen("P-256")};
  const Certificate certificate{X509_new()};
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -7200);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), valid_seconds);
  X509_set_pubkey(certificate.get(), key.get());
  auto* name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  auto* extension = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str());
  X509_add_ext(certificate.get(), extension, -1);
  X509_EXTENSION_free(extension);
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  PEM_write_X509(File{std::fopen(files.certificate_chain.c_str(), "w")}.get(), certificate.get());
  PEM_write_PrivateKey(File{std::fopen(files.private_key.c_str(), "w")}.get(), key.get(), nullptr, nullptr, 0, nullptr,
                       nullptr);
}

class TlsTest : public ServerTest {
 protected:
  TlsTest() {
    folder_ = ::testing::TempDir() + "millrace_tls_XXXXXX";
    if (!mkdtemp(folder_.data())) throw std::runtime_error("mkdtemp");
    write_certificate(files("a"), "DNS:localhost,IP:127.0.0.1");
  }
  ~TlsTest() override {
    server_.reset();
    std::filesystem::remove_all(folder_);
  }

  TlsFiles files(const std::string& name) const {
    return {folder_ + "/" + name + ".crt", folder_ + "/" + name + ".key"};
  }
  HttpServerOptions with_tls() const {
    auto chosen = options();
    chosen.tls = files("a");
    return chosen;
  }
  std::string url() const { return "https://" + address(); }
  Result<ClientResponse> ask(const std::string& trusted, const std::string& server_url = {}) const {
    HttpClient client{server_url.empty() ? url() : server_url, {.ca_file = files(trusted).certificate_chain}};
    return client.request({.method = "POST", .body = "{}", .timeout = 5s});
  }

  std::string folder_;
};

TEST_F(TlsTest, CarriesRequestsAndLargeBodies) {
  auto chosen = with_tls();
  chosen.body_bytes_max = [](Method, std::string_view) { return std::size_t{32} << 20; };
  serve(
      [](Request request, Responder responder) {
        responder(text_response(request.peer().is_tls ? 200 : 500, std::move(request.body)));
      },
      chosen);
  HttpClient client{url(), {.ca_file = files("a").certificate_chain}};
  for (const std::size_t size : {2u, 100'000u, 8'000'000u}) {
    const std::string body(size, 'x');
    const auto answer = client.request({.method = "POST", .body = body});
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->body, body);
  }
  EXPECT_EQ(counters().connections_accepted.load(), 1u);
}

TEST_F(TlsTest, ClientsRefuseUnknownIssuersWrongNamesAndOldCertificates) {
  write_certificate(files("b"), "DNS:localhost,IP:127.0.0.1");
  serve(echo, with_tls());
  EXPECT_TRUE(ask("a"));
  EXPECT_EQ(ask("b").error().code, ErrorCode::unavailable);
  EXPECT_THAT(ask("b").error().detail, HasSubstr("self-signed"));

  write_certificate(files("a"), "DNS:elsewhere.example");
  ASSERT_TRUE(server_->reload_tls());
  EXPECT_THAT(ask("a").error().detail, HasSubstr("mismatch"));

  write_certificate(files("a"), "DNS:localhost,IP:127.0.0.1", -3600);
  ASSERT_TRUE(server_->reload_tls());
  EXPECT_THAT(ask("a").error().detail, HasSubstr("expired"));
}

TEST_F(TlsTest, ReloadsTheFilesForNewConnectionsAndKeepsTheOldOnAnError) {
  serve(echo, with_tls());
  const auto old = files("a").certificate_chain + ".old";
  std::filesystem::copy_file(files("a").certificate_chain, old);
  HttpClient kept{url(), {.ca_file = old}};
  EXPECT_TRUE(kept.request({}));

  write_certificate(files("a"), "IP:127.0.0.1");
  ASSERT_TRUE(server_->reload_tls());
  EXPECT_TRUE(kept.request({})) << "open connections stay";
  EXPECT_TRUE(ask("a"));

  std::filesystem::resize_file(files("a").private_key, 0);
  const auto failure = server_->reload_tls();
  ASSERT_FALSE(failure);
  EXPECT_EQ(failure.error().code, ErrorCode::invalid_argument);
  EXPECT_THAT(failure.error().detail, HasSubstr("a.key"));
  EXPECT_TRUE(ask("a"));
}

TEST_F(TlsTest, SurvivesClientsThatDoNotSpeakIt) {
  serve(echo, with_tls());
  auto plain = connect();
  plain.send(get("/"));
  plain.read_all();
  EXPECT_TRUE(plain.ended());
  EXPECT_TRUE(soon([&] { return counters().tls_failures.load() == 1; }));
  EXPECT_TRUE(ask("a"));
}

TEST_F(TlsTest, EndsClientsThatBeginNoHandshake) {
  auto chosen = with_tls();
  chosen.header_timeout = 50ms;
  chosen.sweep_interval = 10ms;
  serve(echo, chosen);
  auto silent = connect();
  silent.read_all();
  EXPECT_TRUE(silent.ended());
  EXPECT_TRUE(soon([&] { return counters().timed_out_header.load() == 1; }));
}

TEST_F(TlsTest, SpeaksNothingOlderThanTls12) {
  serve(echo, with_tls());
  const auto handshake = [&](int version) {
    const std::unique_ptr<SSL_CTX, Freeing<SSL_CTX, SSL_CTX_free>> context{SSL_CTX_new(TLS_client_method())};
    SSL_CTX_set_security_level(context.get(), 0);
    SSL_CTX_set_min_proto_version(context.get(), version);
    SSL_CTX_set_max_proto_version(context.get(), version);
    const std::unique_ptr<SSL, Freeing<SSL, SSL_free>> ssl{SSL_new(context.get())};
    const auto client = connect();
    SSL_set_fd(ssl.get(), client.fd());
    return SSL_connect(ssl.get()) == 1;
  };
  EXPECT_FALSE(handshake(TLS1_VERSION));
  EXPECT_FALSE(handshake(TLS1_1_VERSION));
  EXPECT_TRUE(handshake(TLS1_2_VERSION));
  EXPECT_TRUE(handshake(TLS1_3_VERSION));
}

TEST_F(TlsTest, AnswersPipelinedRequestsThatArriveInOneRecord) {
  serve(echo, with_tls());
  const std::unique_ptr<SSL_CTX, Freeing<SSL_CTX, SSL_CTX_free>> context{SSL_CTX_new(TLS_client_method())};
  const std::unique_ptr<SSL, Freeing<SSL, SSL_free>> ssl{SSL_new(context.get())};
  const auto client = connect();
  SSL_set_fd(ssl.get(), client.fd());
  ASSERT_EQ(SSL_connect(ssl.get()), 1);
  std::string all;
  for (int i = 0; i < 300; ++i) all += get("/" + std::to_string(i));
  std::thread sender{[&] { SSL_write(ssl.get(), all.data(), static_cast<int>(all.size())); }};
  sender.join();
  std::string answers;
  char bytes[16384];
  while (answers.find("GET /299 ") == std::string::npos) {
    const int size = SSL_read(ssl.get(), bytes, sizeof bytes);
    ASSERT_GT(size, 0);
    answers.append(bytes, static_cast<std::size_t>(size));
  }
  for (int i = 1; i < 300; ++i) {
    EXPECT_LT(answers.find("GET /" + std::to_string(i - 1) + " "), answers.find("GET /" + std::to_string(i) + " "));
  }
}

}  // namespace
}  // namespace millrace::http
