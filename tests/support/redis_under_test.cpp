#include "tests/support/redis_under_test.hpp"

#include <memory>
#include <utility>

#include "backends/redis/redis_broker.hpp"
#include "backends/redis/redis_server.hpp"
#include "base/manual_clock.hpp"
#include "broker/blocking.hpp"

namespace millrace::support {
namespace {

constexpr std::int64_t start_ms = 1'800'000'000'000;

class RedisUnderTest final : public BrokerUnderTest {
 public:
  explicit RedisUnderTest(const BrokerSetup& setup) : setup_(setup) { open(); }
  ~RedisUnderTest() override { broker_->close(); }

  Broker& broker() override { return *broker_; }

  void advance(Milliseconds by) override {
    server_clock_.set(server_clock_.now() + by.count());
    clock_->advance(by);
    // What is swept may make something else due at once, as a retry without a delay does.
    for (int round = 0; round < 2; ++round)
      blocking<std::uint64_t>([&](auto done) { broker_->sweep(std::move(done)); }).value();
  }
  void step_wall(Milliseconds) override { throw std::logic_error("redis has one clock"); }
  void break_store() override { throw std::logic_error("see the tests of connections"); }

  void reopen(Stop) override {
    broker_->close();
    broker_.reset();
    open();
  }

  Powers powers() const override {
    Powers powers;
    powers.steps_wall = false;      // engine time is the server's wall clock, which never goes back
    powers.inside_workers = false;  // a gateway that comes back does not know which workers were its own
    powers.breaks_store = false;
    powers.restores_leases = false;
    return powers;
  }

 private:
  void open() {
    redis::RedisOptions options;
    options.address.common.port = server_.port();
    options.clock = clock_;
    options.seed = 20'261'127;
    options.queue_tasks_max = setup_.queue_tasks_max.value_or(0);
    options.queue_bytes_max = setup_.queue_bytes_max.value_or(0);
    broker_ = redis::open_redis_broker(std::move(options)).value();
  }

  BrokerSetup setup_;
  redis::testing::ServerClock server_clock_{start_ms};
  redis::testing::RedisServer server_{server_clock_};
  std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>(WallTime{Milliseconds{start_ms}});
  std::shared_ptr<redis::RedisBroker> broker_;
};

}  // namespace

BrokerKind on_redis() {
  return {"Redis", [](const BrokerSetup& setup) -> std::unique_ptr<BrokerUnderTest> {
            return std::make_unique<RedisUnderTest>(setup);
          }};
}

}  // namespace millrace::support
