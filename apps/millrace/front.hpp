#pragma once

#include <memory>
#include <string>
#include <vector>

#include "access/authenticator.hpp"
#include "access/token_file.hpp"
#include "http_metrics.hpp"
#include "net/http_server.hpp"
#include "server/gateway.hpp"
#include "settings/settings.hpp"

namespace millrace::app {

/// What the network sees of `serve`: gateway, sockets, tokens and their metrics.
///
/// Threads: all functions from the main thread. Ownership: refers to broker, clock and registry, which outlive it.
class Front {
 public:
  Front(Broker& broker, const Clock& clock, metrics::Registry& registry)
      : broker_(broker), clock_(clock), registry_(registry), http_metrics_(registry) {}
  ~Front() { stop(); }
  Front(const Front&) = delete;
  Front& operator=(const Front&) = delete;

  /// Reads the token file, binds and serves. `ready` says why `/readyz` is not 200 yet. Errors: as `TokenFile::open`
  /// and `HttpServer::start`.
  Result<void> start(const settings::Settings& settings, std::function<Result<void>()> ready);

  /// `http://127.0.0.1:8000` or `unix:/path`, one for each address.
  std::vector<std::string> urls() const;
  /// What an operator should mend, found at start.
  const std::vector<std::string>& warnings() const noexcept { return warnings_; }

  /// Reads the token file again if it changed. Every second or two.
  void refresh();
  /// Reads the TLS files again.
  void reload();
  bool has_tokens() const noexcept { return tokens_ != nullptr; }

  /// `/readyz` says no; everything else goes on.
  void announce_end();
  /// Accepts nothing new and lets requests in work end; false if some did not within `grace`.
  bool drain(std::chrono::milliseconds grace);
  void stop();

 private:
  Result<void> open_tokens(const std::string& path);
  server::Authenticate authentication();

  Broker& broker_;
  const Clock& clock_;
  metrics::Registry& registry_;
  HttpMetrics http_metrics_;
  std::unique_ptr<access::TokenFile> tokens_;
  std::unique_ptr<access::Authenticator> door_;
  std::unique_ptr<server::Gateway> gateway_;
  std::unique_ptr<http::HttpServer> server_;
  metrics::Registry::Registration sources_[2];
  std::vector<std::string> warnings_;
  bool tls_ = false;
};

}  // namespace millrace::app
