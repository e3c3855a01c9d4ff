#pragma once

#include <memory>
#include <mutex>
#include <string>

#include <millrace/connect.hpp>

#include "broker/broker.hpp"
#include "connect/schemes.hpp"

namespace millrace {
namespace detail {

/// What the copies of a `BrokerHandle` share: a broker that is opened by its first use, and closed with the last copy.
class Connection {
 public:
  Connection(BrokerUrl url, Scheme scheme) : url_(std::move(url)), scheme_(std::move(scheme)) {}
  /// Over a broker that is open already and whose owner closes it.
  Connection(std::string name, std::shared_ptr<Broker> broker) : broker_(std::move(broker)) {
    url_.text = std::move(name);
  }
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  const BrokerUrl& url() const noexcept { return url_; }
  /// Opens it if need be. A failed attempt is repeated by the next call. Threads: any; never from a broker's own
  /// thread.
  [[nodiscard]] Result<std::shared_ptr<Broker>> broker();

 private:
  BrokerUrl url_;
  const Scheme scheme_ = {};
  std::mutex mutex_;
  std::shared_ptr<Broker> broker_;
};

}  // namespace detail

/// A handle for a broker that somebody else owns and closes: how a server lends its broker to the SDK.
BrokerHandle handle_of(std::shared_ptr<Broker> broker, std::string name = "local");
/// The broker behind a handle, opened.
[[nodiscard]] Result<std::shared_ptr<Broker>> open_broker(const BrokerHandle& handle);

}  // namespace millrace
