#include "backends/redis/sentinel.hpp"

#include <charconv>
#include <memory>
#include <utility>

#include "backends/redis/failure.hpp"

namespace millrace::redis {
namespace {

using Found = UniqueFunction<void(Result<Endpoint>)>;
using namespace std::chrono_literals;

/// The answer to GET-MASTER-ADDR-BY-NAME.
Result<Address::Host> primary_of(const Result<Reply>& reply, const std::string& name) {
  if (!reply) return reply.error();
  if (reply->is_error()) return error_of(*reply);
  if (reply->elements.size() != 2) return Error{ErrorCode::unavailable, "it knows no primary named " + name};
  Address::Host host{reply->elements[0].text, 0};
  const auto& port = reply->elements[1].text;
  std::from_chars(port.data(), port.data() + port.size(), host.port);
  return host;
}

class Sentinels : public std::enable_shared_from_this<Sentinels> {
 public:
  Sentinels(boost::asio::io_context& context, Address address) : context_(context), address_(std::move(address)) {}

  void find(std::size_t asked, std::string reasons, Found found) {
    if (asked == address_.hosts.size())
      return found(Error{ErrorCode::unavailable, "no Sentinel tells the primary of " + address_.primary + reasons});
    const auto host = address_.hosts[first_];
    // Sentinels have users of their own, if any; those of the servers are not told to them.
    Endpoint endpoint;
    endpoint.host = host.name;
    endpoint.port = host.port;
    ConnectionOptions options;
    options.connect_timeout = options.call_timeout = 500ms;
    auto connection = Connection::open(context_, std::move(endpoint), options);
    auto& target = *connection;
    target.call(Command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", address_.primary),
                [self = shared_from_this(), connection = std::move(connection), asked, reasons = std::move(reasons),
                 found = std::move(found)](const Result<Reply>& reply) mutable {
                  connection->close();
                  const auto primary = primary_of(reply, self->address_.primary);
                  if (primary) return found(self->address_.endpoint(*primary));
                  self->first_ = (self->first_ + 1) % self->address_.hosts.size();
                  self->find(asked + 1, std::move(reasons) + "; " + primary.error().detail, std::move(found));
                });
  }

 private:
  boost::asio::io_context& context_;
  const Address address_;
  std::size_t first_ = 0;
};

}  // namespace

Finder sentinel_finder(boost::asio::io_context& context, Address address) {
  auto sentinels = std::make_shared<Sentinels>(context, std::move(address));
  return [sentinels](Found found) { sentinels->find(0, {}, std::move(found)); };
}

Greeting primary_greeting() {
  Greeting greeting;
  greeting.commands.push_back(Command("ROLE"));
  greeting.check = [](const std::vector<Reply>& answers) -> Result<void> {
    const auto& role = answers.at(0);
    if (role.is_error()) return error_of(role);
    if (!role.elements.empty() && role.elements[0].text == "master") return {};
    return Error{ErrorCode::unavailable, "this server is not the primary"};
  };
  return greeting;
}

}  // namespace millrace::redis
