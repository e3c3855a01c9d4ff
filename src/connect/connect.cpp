#include <algorithm>
#include <map>

#include <millrace/connect.hpp>

#include "connect/connection.hpp"

namespace millrace {
namespace {

/// Which component to link for a scheme that nobody registered.
constexpr std::pair<std::string_view, std::string_view> component_of_scheme[] = {
    {"file", "embedded"},       {"memory", "embedded"}, {"http", "client"},    {"https", "client"},
    {"unix", "client"},         {"redis", "redis"},     {"rediss", "redis"},   {"redis+sentinel", "redis"},
    {"redis+cluster", "redis"}, {"amqp", "rabbitmq"},   {"amqps", "rabbitmq"},
};

/// The schemes of this process, and the connections that are alive by their identity.
struct Table {
  std::mutex mutex;
  std::map<std::string, Scheme, std::less<>> schemes;
  std::map<std::string, std::weak_ptr<detail::Connection>> shared;
};

/// Made by the first component that registers, before `main`; never destroyed, since handles may outlive statics.
Table& table() {
  static auto* const instance = new Table;
  return *instance;
}

Error unlinked(const std::string& scheme) {
  const auto* const known = std::ranges::find(component_of_scheme, scheme, [](const auto& row) { return row.first; });
  if (known == std::end(component_of_scheme)) {
    return Error{ErrorCode::unsupported, "no broker has URLs like " + scheme + ":…", "url"};
  }
  return Error{ErrorCode::unsupported,
               scheme + ": URLs need the component '" + std::string(known->second) +
                   "', which is not linked; find_package(millrace COMPONENTS " + std::string(known->second) +
                   ") and link millrace::" + std::string(known->second),
               "url"};
}

}  // namespace

namespace detail {

Connection::~Connection() {
  if (scheme_.open != nullptr && broker_) broker_->close();
}

Result<std::shared_ptr<Broker>> Connection::broker() {
  const std::lock_guard lock(mutex_);
  if (!broker_) {
    auto opened = scheme_.open(url_);
    if (!opened) return std::move(opened).error();
    broker_ = *std::move(opened);
  }
  return broker_;
}

}  // namespace detail

bool register_scheme(Scheme scheme) {
  auto& known = table();
  const std::lock_guard lock(known.mutex);
  auto name = scheme.name;
  return known.schemes.emplace(std::move(name), std::move(scheme)).second;
}

Result<BrokerHandle> try_connect(std::string_view text) {
  auto url = parse_broker_url(text);
  if (!url) return std::move(url).error();
  auto& known = table();
  const std::lock_guard lock(known.mutex);
  const auto scheme = known.schemes.find(url->scheme);
  if (scheme == known.schemes.end()) return unlinked(url->scheme);

  const auto identity = scheme->second.identity != nullptr ? scheme->second.identity(*url) : url->text;
  if (identity.empty()) {
    return BrokerHandle(std::make_shared<detail::Connection>(*std::move(url), scheme->second));
  }
  std::erase_if(known.shared, [](const auto& entry) { return entry.second.expired(); });
  auto& entry = known.shared[identity];
  if (auto living = entry.lock()) {
    if (living->url().options == url->options) return BrokerHandle(std::move(living));
    return Error{ErrorCode::conflict, "'" + std::string(text) + "' is in use as '" + living->url().text + "'", "url"};
  }
  auto connection = std::make_shared<detail::Connection>(*std::move(url), scheme->second);
  entry = connection;
  return BrokerHandle(std::move(connection));
}

BrokerHandle connect(std::string_view url) { return try_connect(url).value(); }

std::vector<std::string> connect_schemes() {
  auto& known = table();
  const std::lock_guard lock(known.mutex);
  std::vector<std::string> names;
  for (const auto& [name, scheme] : known.schemes) names.push_back(name);
  return names;
}

const std::string& BrokerHandle::url() const noexcept { return connection_->url().text; }

Result<void> BrokerHandle::open() const {
  auto broker = connection_->broker();
  if (!broker) return std::move(broker).error();
  return {};
}

BrokerHandle handle_of(std::shared_ptr<Broker> broker, std::string name) {
  return BrokerHandle(std::make_shared<detail::Connection>(std::move(name), std::move(broker)));
}

Result<std::shared_ptr<Broker>> open_broker(const BrokerHandle& handle) { return handle.connection()->broker(); }

}  // namespace millrace
