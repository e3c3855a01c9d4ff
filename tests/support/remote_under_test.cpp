#include "tests/support/remote_under_test.hpp"

#include <memory>
#include <utility>

#include "backends/remote/remote_broker.hpp"
#include "base/clock.hpp"
#include "net/http_server.hpp"
#include "server/gateway.hpp"

namespace millrace::support {
namespace {

/// A gateway that serves one broker at a free port of the loopback interface.
class Served {
 public:
  explicit Served(Broker& broker) : gateway_(broker, clock_), server_(options(gateway_), gateway_.handler()) {
    server_.start().value();
  }
  ~Served() {
    gateway_.drain();
    server_.stop();
  }
  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;

  std::string url() const { return "http://" + server_.bound_addresses().front(); }

 private:
  static http::HttpServerOptions options(const server::Gateway& gateway) {
    http::HttpServerOptions options;
    options.listen = {"127.0.0.1:0"};
    options.body_bytes_max = gateway.body_bytes_max();
    return options;
  }

  SystemClock clock_;
  server::Gateway gateway_;
  http::HttpServer server_;
};

class RemoteUnderTest final : public BrokerUnderTest {
 public:
  explicit RemoteUnderTest(std::unique_ptr<BrokerUnderTest> behind) : behind_(std::move(behind)) { serve(); }
  ~RemoteUnderTest() override { stop(); }

  Broker& broker() override { return *remote_; }
  void advance(Milliseconds by) override { behind_->advance(by); }
  void step_wall(Milliseconds by) override { behind_->step_wall(by); }
  void break_store() override { behind_->break_store(); }

  void reopen(Stop stop_kind) override {
    stop();
    behind_->reopen(stop_kind);
    serve();
  }

  Powers powers() const override {
    auto powers = behind_->powers();
    powers.inside_workers = false;  // a peer cannot claim to live in the server
    return powers;
  }

 private:
  void serve() {
    served_ = std::make_unique<Served>(behind_->broker());
    remote::RemoteOptions options;
    options.retry_for = Milliseconds(1000);
    remote_ = remote::make_remote_broker(served_->url(), std::move(options));
  }
  void stop() {
    remote_->close();
    served_.reset();
  }

  std::unique_ptr<BrokerUnderTest> behind_;
  std::unique_ptr<Served> served_;
  std::shared_ptr<Broker> remote_;
};

}  // namespace

BrokerKind through_a_gateway(BrokerKind behind) {
  return {behind.name + "ThroughAGateway", [behind](const BrokerSetup& setup) -> std::unique_ptr<BrokerUnderTest> {
            return std::make_unique<RemoteUnderTest>(behind.make(setup));
          }};
}

}  // namespace millrace::support
