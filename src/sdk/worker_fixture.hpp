#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <millrace/worker.hpp>

#include "connect/connection.hpp"
#include "sdk/fake_broker.hpp"

namespace millrace {

struct Receipt {
  std::string id = {};
};
/// Declared by most tests' handlers.
struct NamedWork {
  static constexpr auto task_type = "work";
  static constexpr std::array aliases{"old_work"};
  static constexpr std::array required{"name"};
  using Output = Receipt;
  std::string name = {};
};

/// A worker over a broker that the test plays.
class WorkerTest : public testing::Test {
 protected:
  /// A worker over the fake with options for tests: it polls without waiting long and has a short grace.
  std::unique_ptr<Worker> make_worker(WorkerOptions options = {}) {
    if (options.concurrency == 0) options.concurrency = 2;
    options.on_event = [this](const WorkerEvent& event) {
      const std::lock_guard lock(events_mutex);
      events.push_back(event.kind);
      errors.emplace_back(event.error);
    };
    return std::make_unique<Worker>(handle_of(broker), std::move(options));
  }
  bool heard(WorkerEvent::Kind kind) {
    const std::lock_guard lock(events_mutex);
    return std::ranges::find(events, kind) != events.end();
  }
  /// The only outcome, once it is there.
  Settle outcome() {
    EXPECT_TRUE(broker->eventually_settled(1));
    return broker->settled().front();
  }

  std::shared_ptr<FakeBroker> broker = std::make_shared<FakeBroker>();
  std::mutex events_mutex;
  std::vector<WorkerEvent::Kind> events;
  std::vector<std::string> errors;
};

}  // namespace millrace
