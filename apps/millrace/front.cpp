#include "front.hpp"

#include "observe/log.hpp"
#include "option_mapping.hpp"

namespace millrace::app {
namespace {

void write_audit(const access::AuditRecord& record) {
  const auto fields = access::audit_fields(record);
  log::info(access::audit_event, {{fields[0].name, fields[0].value},
                                  {fields[1].name, fields[1].value},
                                  {fields[2].name, fields[2].value},
                                  {fields[3].name, fields[3].value},
                                  {fields[4].name, fields[4].value},
                                  {fields[5].name, fields[5].value}});
}

}  // namespace

Result<void> Front::open_tokens(const std::string& path) {
  if (path.empty()) return {};
  auto opened = access::TokenFile::open(path);
  if (!opened) return std::move(opened).error();
  tokens_ = *std::move(opened);
  door_ = std::make_unique<access::Authenticator>(*tokens_, clock_);
  warnings_ = tokens_->warnings();
  if (tokens_->table()->empty()) warnings_.push_back(path + " holds no token: nobody can do anything");
  sources_[0] = registry_.add_source([this](metrics::Collector& out) {
    out.add(metrics::Metric::auth_failures, static_cast<double>(door_->unknown_tokens()), "unknown_token");
    out.add(metrics::Metric::auth_failures, static_cast<double>(door_->refused_unseen()), "too_many");
  });
  return {};
}

server::Authenticate Front::authentication() {
  if (!door_) return {};
  return [this](std::optional<std::string_view> token, const http::Peer& peer) {
    return (*door_)(token, {.address = peer.address, .is_local = peer.is_loopback});
  };
}

Result<void> Front::start(const settings::Settings& settings, std::function<Result<void>()> ready) {
  if (auto opened = open_tokens(settings.token_file); !opened) return opened;
  auto options = gateway_options(settings);
  if (!options) return std::move(options).error();
  options->authenticate = authentication();
  options->ready = std::move(ready);
  options->metrics = [this] { return registry_.render(); };
  options->audit = write_audit;
  options->answered = [this](const server::Route& route, int status, std::chrono::nanoseconds took) {
    http_metrics_.answered(route, status, took);
  };
  gateway_ = std::make_unique<server::Gateway>(broker_, clock_, *std::move(options));
  http_metrics_.prepare(gateway_->router());

  auto http = http_options(settings);
  http.body_bytes_max = gateway_->body_bytes_max();
  http.round_ended = gateway_->round_ended();
  tls_ = !settings.tls_cert.empty();
  server_ = std::make_unique<http::HttpServer>(std::move(http), gateway_->handler());
  sources_[1] = http_metrics_.watch(*server_);
  return server_->start();
}

std::vector<std::string> Front::urls() const {
  std::vector<std::string> urls;
  for (auto& address : server_->bound_addresses())
    urls.push_back(address.starts_with("unix:") ? address : (tls_ ? "https://" : "http://") + address);
  return urls;
}

void Front::refresh() {
  if (!tokens_) return;
  const auto reloaded = tokens_->reload_if_changed();
  if (!reloaded)
    log::error("token_file_refused", {{"path", tokens_->path()}, {"detail", reloaded.error().detail}});
  else if (*reloaded == access::TokenFile::Reload::reloaded)
    log::info("token_file_reloaded", {{"path", tokens_->path()}, {"tokens", tokens_->table()->size()}});
}

void Front::reload() {
  refresh();
  if (!tls_) return;
  if (auto reloaded = server_->reload_tls(); !reloaded)
    log::error("tls_refused", {{"detail", reloaded.error().detail}});
  else
    log::info("tls_reloaded");
}

void Front::announce_end() { gateway_->drain(); }

bool Front::drain(std::chrono::milliseconds grace) { return server_->drain(grace); }

void Front::stop() {
  if (server_) server_->stop();
  sources_[0] = {};
  sources_[1] = {};
}

}  // namespace millrace::app
