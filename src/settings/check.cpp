#include "settings/check.hpp"

#include <algorithm>
#include <utility>

namespace millrace::settings {
namespace {

constexpr std::string_view standard_data = "./millrace-data";

std::string scheme_of(std::string_view url) { return std::string(url.substr(0, url.find(':'))); }

/// The component that a scheme needs, for a build that lacks it.
std::string component_of(std::string_view scheme) {
  if (scheme.starts_with("redis") || scheme.starts_with("valkey")) return "redis";
  if (scheme.starts_with("amqp")) return "rabbitmq";
  if (scheme.starts_with("http")) return "remote";
  return {};
}

void check_broker(const Inputs& inputs, Resolution& resolution) {
  const auto& broker = resolution.at("broker");
  const auto named = "broker " + broker.shown + " (from " + broker.origin + ")";
  if (broker.source == Source::legacy && inputs.scope == Scope::serve && inputs.exists(std::string(standard_data))) {
    resolution.problems.push_back(named + ": but " + std::string(standard_data) +
                                  " exists and may hold tasks; say which one to use: --broker file:" +
                                  std::string(standard_data) + " or --broker " + broker.shown);
    return;
  }
  const auto scheme = scheme_of(resolution.settings.broker);
  const auto& known = inputs.broker_schemes;
  if (std::find(known.begin(), known.end(), scheme) != known.end()) return;
  std::string schemes;
  for (const auto& each : known) schemes.append(schemes.empty() ? "" : ", ").append(each + ":");
  const auto component = component_of(scheme);
  auto problem = named + ": " +
                 (component.empty() ? "no broker has the scheme '" + scheme + ":'"
                                    : "this build has no component '" + component + "'") +
                 "; it knows " + schemes;
  if (broker.source == Source::legacy) {
    problem.append("; --broker file:").append(standard_data).append(" or --no-legacy-env starts without it");
  }
  resolution.problems.push_back(std::move(problem));
}

void check_ledger(const Inputs&, Resolution& resolution) {
  if (resolution.settings.ledger.empty() || resolution.settings.broker.starts_with("amqp")) return;
  resolution.problems.push_back("ledger: only an amqp: broker has one, and the broker is " +
                                resolution.at("broker").shown);
}

void check_listen(const Inputs&, Resolution& resolution) {
  const auto& settings = resolution.settings;
  if (settings.listen.empty()) resolution.problems.push_back("listen: needs at least one address");
  if (settings.tls_cert.empty() != settings.tls_key.empty()) {
    resolution.problems.push_back("tls_cert and tls_key: give both or neither");
  }
  const bool safe = !settings.token_file.empty() && !settings.tls_cert.empty();
  if (safe) return;
  for (const auto& address : settings.listen) {
    if (is_local_address(address)) continue;
    if (settings.insecure_bind) {
      resolution.warnings.push_back("listen " + address + ": open to the network without " +
                                    (settings.token_file.empty() ? "tokens" : "TLS") + " (insecure_bind)");
    } else {
      resolution.problems.push_back("listen " + address +
                                    ": beyond loopback it needs token_file, tls_cert and tls_key, or insecure_bind");
    }
  }
}

void check_limits(const Inputs&, Resolution& resolution) {
  const auto& settings = resolution.settings;
  if (settings.disk_hard_bytes > settings.disk_soft_bytes) {
    resolution.problems.push_back("disk_hard_bytes: must not be above disk_soft_bytes");
  }
  if (settings.max_body_bytes < settings.max_payload_bytes) {
    resolution.problems.push_back("max_body_bytes: must not be below max_payload_bytes");
  }
  const auto& dialects = settings.dialects;
  const bool has_word =
      std::any_of(dialects.begin(), dialects.end(), [](const auto& name) { return name == "all" || name == "none"; });
  if (has_word && dialects.size() > 1) resolution.problems.push_back("dialects: `all` and `none` stand alone");
}

void check_mail(const Inputs&, Resolution& resolution) {
  const auto& settings = resolution.settings;
  if (settings.smtp_url.empty()) return;
  const auto scheme = scheme_of(settings.smtp_url);
  if (scheme != "smtp" && scheme != "smtps")
    resolution.problems.push_back("smtp_url: must begin with smtp:// or smtps://");
  if (settings.smtp_recipient_domains.empty()) {
    resolution.problems.push_back("smtp_recipient_domains: needed with smtp_url; `*` allows every domain");
  }
}

std::string_view host_of(std::string_view address) {
  if (address.starts_with('[')) return address.substr(1, address.find(']') - 1);
  return address.substr(0, address.rfind(':'));
}

}  // namespace

bool is_local_address(std::string_view address) {
  if (address.starts_with("unix:")) return true;
  const auto host = host_of(address);
  return host == "localhost" || host == "::1" ||
         (host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string_view::npos);
}

void check(const Inputs& inputs, Resolution& resolution) {
  switch (inputs.scope) {
    case Scope::serve:
      check_listen(inputs, resolution);
      check_broker(inputs, resolution);
      check_ledger(inputs, resolution);
      check_limits(inputs, resolution);
      check_mail(inputs, resolution);
      break;
    case Scope::worker:
      // Without a broker of its own a worker works for `server`.
      if (resolution.given("broker")) check_broker(inputs, resolution);
      check_ledger(inputs, resolution);
      check_mail(inputs, resolution);
      break;
    case Scope::client:
      if (resolution.given("broker")) check_broker(inputs, resolution);
      break;
  }
}

}  // namespace millrace::settings
