#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/manual_clock.hpp"
#include "broker/blocking.hpp"
#include "engine/engine.hpp"

namespace millrace::engine {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class WallClockOfAnEngine : public testing::Test {
 protected:
  WallClockOfAnEngine() {
    EngineOptions options;
    options.clock = clock_;
    options.registry = &registry_;
    options.on_clock_jump = [this](Milliseconds by) { told_.push_back(by); };
    engine_ = open_memory_engine(std::move(options));
    let_it_look();
  }
  ~WallClockOfAnEngine() override { engine_->close(); }

  /// Each answer belongs to a round of its own, and each round reads the clock.
  void let_it_look() {
    for (int round = 0; round < 2; ++round)
      static_cast<void>(blocking<Stats>([&](auto done) { engine_->stats(std::move(done)); }).value());
  }
  Guarantees::Setting wall_clock() const {
    for (const auto& setting : engine_->guarantees().settings)
      if (setting.name == "wall_clock") return setting;
    return {};
  }

  std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
  metrics::Registry registry_;
  std::vector<Milliseconds> told_;
  std::shared_ptr<Engine> engine_;
};

TEST_F(WallClockOfAnEngine, IsSteadyWhileItRunsAsTheBootClockDoes) {
  clock_->advance(24h);
  let_it_look();
  EXPECT_EQ(wall_clock().value, "steady");
  EXPECT_THAT(registry_.render(), HasSubstr("millrace_clock_jumps_total 0"));
  engine_->close();
  EXPECT_THAT(told_, IsEmpty());
}

TEST_F(WallClockOfAnEngine, RaisesAnAlarmWhenItIsSetAndIsBelievedAgainWhenItIsSteady) {
  const auto degradations = engine_->guarantees().degradations.size();
  clock_->step_wall(1h);
  let_it_look();
  EXPECT_EQ(wall_clock().value, "set");
  EXPECT_FALSE(wall_clock().ok);
  EXPECT_EQ(engine_->guarantees().degradations.size(), degradations + 1);
  EXPECT_THAT(registry_.render(), HasSubstr("millrace_schedules_held 1"));

  clock_->advance(6s);
  let_it_look();
  EXPECT_EQ(wall_clock().value, "steady");
  EXPECT_EQ(wall_clock().note, "set 1 × since the start, last by 3600 s");
  EXPECT_EQ(engine_->guarantees().degradations.size(), degradations);
  EXPECT_THAT(registry_.render(), HasSubstr("millrace_clock_jumps_total 1"));
  engine_->close();
  EXPECT_THAT(told_, ElementsAre(Milliseconds{3'600'000}));
}

}  // namespace
}  // namespace millrace::engine
