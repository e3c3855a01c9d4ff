#include "supervise/recording_broker.hpp"

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/manual_clock.hpp"

namespace millrace::supervise {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;
using testing::SizeIs;

/// Answers `work` with what the test prepared.
class PreparedBroker final : public Broker {
 public:
  void work(WorkRequest request, Completion<WorkReply> done) override {
    last = std::move(request);
    done(answer);
  }
  void enqueue(EnqueueRequest, Completion<EnqueueReply>) override {}
  void stop_waiting(const std::string&) override {}
  void act(ActRequest, Completion<ActReply>) override {}
  void control(ControlRequest, Completion<ControlReply>) override {}
  void find(FindRequest, Completion<TaskRecord>) override {}
  void watch(WatchRequest, Completion<TaskRecord>) override {}
  void stats(Completion<Stats>) override {}
  Guarantees guarantees() const override { return {}; }
  Capabilities capabilities() const override { return {}; }
  Inspector* inspector() override { return nullptr; }
  void drain() override {}
  void close() override {}

  Result<WorkReply> answer = WorkReply{};
  WorkRequest last = {};
};

TEST(RecordingBroker, NotesALeaseBeforeTheWorkerSeesItAndForgetsItWithItsSettle) {
  const ManualClock clock;
  auto table = AttemptTable::create(4).value();
  std::shared_ptr<AttemptRecorder> recorder =
      AttemptRecorder::attach(Descriptor{::dup(table.file().get())}, clock).value();
  const auto behind = std::make_shared<PreparedBroker>();
  RecordingBroker broker(behind, recorder);

  WorkReply granted;
  granted.leases.push_back({.token = "tok", .fence = 5, .lease_left = 30s, .timeout = 2s});
  behind->answer = granted;
  bool noted_in_time = false;
  broker.work({}, [&](Result<WorkReply>) { noted_in_time = table.entries().size() == 1; });
  EXPECT_TRUE(noted_in_time);

  behind->answer = Error{ErrorCode::unavailable, "lost"};
  broker.work({}, [](Result<WorkReply>) {});
  EXPECT_THAT(table.entries(), SizeIs(1)) << "an answer that was lost changes nothing";

  WorkReply settled;
  settled.settled.push_back({.token = "tok"});
  behind->answer = settled;
  broker.work({}, [](Result<WorkReply>) {});
  EXPECT_THAT(table.entries(), IsEmpty());
}

}  // namespace
}  // namespace millrace::supervise
