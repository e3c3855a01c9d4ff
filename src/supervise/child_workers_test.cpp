#include "supervise/child_workers.hpp"

#include <condition_variable>
#include <fcntl.h>
#include <mutex>
#include <poll.h>
#include <signal.h>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "supervise/descriptor.hpp"
#include "supervise/recording_broker.hpp"

namespace millrace::supervise {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

/// A broker that knows one function: it keeps what is settled.
class SettleBroker final : public Broker {
 public:
  void work(WorkRequest request, Completion<WorkReply> done) override {
    WorkReply reply;
    {
      const std::lock_guard lock(mutex_);
      if (refusals_ > 0) {
        --refusals_;
        return done(Error{ErrorCode::unavailable, "not now"});
      }
      for (const auto& settle : request.settle) reply.settled.push_back({.token = settle.token});
      requests_.push_back(std::move(request));
    }
    done(std::move(reply));
  }
  void refuse(int calls) { refusals_ = calls; }
  std::vector<WorkRequest> requests() const { return std::lock_guard(mutex_), requests_; }

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

 private:
  mutable std::mutex mutex_;
  int refusals_ = 0;
  std::vector<WorkRequest> requests_;
};

/// One supervisor over the test child, with its events.
class ChildWorkersTest : public testing::Test {
 protected:
  using Kind = ChildEvent::Kind;

  void begin(const std::string& script, ChildWorkersOptions options = {}) {
    options.program = MILLRACE_TEST_CHILD;
    options.arguments = {};
    options.settings = script;
    options.hang_grace = 50ms;
    if (options.drain_grace > 1s) options.drain_grace = 1s;
    options.restart_min = 1ms;
    options.restart_max = 1ms;
    options.on_event = [this](const ChildEvent& event) {
      const std::lock_guard lock(mutex_);
      events_.push_back(event);
      changed_.notify_all();
    };
    workers_ = std::make_unique<ChildWorkers>(broker_, clock_, options);
    ASSERT_TRUE(workers_->start());
  }

  /// The n-th event of this kind (from 1), waited for.
  ChildEvent event(Kind kind, std::size_t n = 1) {
    std::unique_lock lock(mutex_);
    ChildEvent found;
    const auto seen = [&] {
      std::size_t count = 0;
      for (const auto& e : events_)
        if (e.kind == kind && ++count == n) return found = e, true;
      return false;
    };
    EXPECT_TRUE(changed_.wait_for(lock, 20s, seen)) << "event " << static_cast<int>(kind) << " did not come";
    return found;
  }

  /// The settles of the first report, as `token outcome`.
  std::vector<std::string> first_report() {
    event(Kind::settled);
    std::vector<std::string> found;
    const auto requests = broker_->requests();
    for (const auto& settle : requests.front().settle)
      found.push_back(settle.token.str() + " " + std::string(to_string(settle.outcome)));
    return found;
  }

  void wait_until_attached() {
    while (!workers_->state().attached) std::this_thread::yield();
  }

  std::shared_ptr<SettleBroker> broker_ = std::make_shared<SettleBroker>();
  SystemClock clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<ChildEvent> events_;
  std::unique_ptr<ChildWorkers> workers_;  // last: its thread uses the others
};

TEST_F(ChildWorkersTest, ASegmentationFaultIsReportedAtOnceAndTheChildComesBack) {
  begin("instance w1 leased 1 a 0 leased 2 b 0 leased 3 c 0 started 1 started 2 finished 2 raise 11");
  EXPECT_THAT(first_report(), UnorderedElementsAre("a crashed", "b crashed", "c released"));
  const auto request = broker_->requests().front();
  EXPECT_EQ(request.worker.instance, "w1");
  EXPECT_THAT(request.started, UnorderedElementsAre(LeaseToken("a"), LeaseToken("b")));
  EXPECT_EQ(request.settle[0].error.message, "SIGSEGV");
  EXPECT_EQ(event(Kind::ended).death, (Death{Death::Kind::signalled, SIGSEGV}));
  EXPECT_NE(event(Kind::started, 2).pid, event(Kind::started, 1).pid);
  EXPECT_GE(workers_->state().restarts, 1u);
}

TEST_F(ChildWorkersTest, AKillFromOutsideIsACrash) {
  begin("instance w1 leased 1 a 0 started 1 hang");
  wait_until_attached();
  while (workers_->state().running == 0) std::this_thread::yield();
  ::kill(workers_->state().pid, SIGKILL);
  EXPECT_THAT(first_report(), ElementsAre("a crashed"));
  EXPECT_EQ(event(Kind::ended).death.code, SIGKILL);
  EXPECT_FALSE(event(Kind::ended).death.out_of_memory);
}

TEST_F(ChildWorkersTest, AHandlerThatExitsIsACrashToo) {
  begin("instance w1 leased 1 a 0 started 1 exit 3");
  EXPECT_THAT(first_report(), ElementsAre("a crashed"));
  EXPECT_EQ(broker_->requests().front().settle[0].error, (TaskError{"exit", "exit code 3", ""}));
}

TEST_F(ChildWorkersTest, AnAttemptThatIgnoresItsStopRequestCostsTheChildAndOnlyItIsBlamed) {
  begin("instance w1 leased 1 a 0 leased 2 b 0 leased 3 c 0 started 1 started 2 timeout 2 hang");
  EXPECT_THAT(first_report(), UnorderedElementsAre("a released", "b timed_out", "c released"));
  EXPECT_EQ(event(Kind::ended).death.kind, Death::Kind::hung);
  event(Kind::started, 2);
}

TEST_F(ChildWorkersTest, AChildTooSickToAskItsAttemptToStopIsEndedByTheTimeoutItself) {
  begin("instance w1 leased 1 a 20 started 1 hang");
  EXPECT_THAT(first_report(), ElementsAre("a timed_out"));
}

TEST_F(ChildWorkersTest, AChildWithoutAHeartbeatIsReplaced) {
  begin("instance w1 leased 1 a 0 hang", {.silence_max = 100ms});
  EXPECT_EQ(event(Kind::hang_found).text, "no heartbeat");
  EXPECT_THAT(first_report(), ElementsAre("a released"));
}

TEST_F(ChildWorkersTest, ADrainIsPassedDownAndWaitedFor) {
  begin("instance w1 leased 1 a 0 drain 1 exit 0");
  wait_until_attached();
  EXPECT_TRUE(workers_->stop());
  EXPECT_EQ(event(Kind::ended).death.kind, Death::Kind::clean);
  EXPECT_THAT(first_report(), ElementsAre("a released"));
  EXPECT_EQ(workers_->state().pid, 0);
}

TEST_F(ChildWorkersTest, ASecondRequestHurriesTheChild) {
  begin("instance w1 drain 2 exit 0");
  wait_until_attached();
  workers_->request_stop();
  workers_->request_stop();
  EXPECT_TRUE(workers_->wait());
}

TEST_F(ChildWorkersTest, ADrainThatTakesTooLongEndsWithAKillAndHandsTheLeasesBack) {
  begin("instance w1 leased 1 a 0 started 1 hang", {.drain_grace = 50ms});
  wait_until_attached();
  while (workers_->state().running == 0) std::this_thread::yield();
  EXPECT_FALSE(workers_->stop());
  EXPECT_EQ(event(Kind::ended).death.kind, Death::Kind::stopped);
  EXPECT_THAT(first_report(), ElementsAre("a released"));
}

TEST_F(ChildWorkersTest, ReportsAreRepeatedUntilTheBrokerListens) {
  broker_->refuse(2);
  begin("instance w1 leased 1 a 0 started 1 raise 6");
  EXPECT_THAT(first_report(), ElementsAre("a crashed"));
}

TEST_F(ChildWorkersTest, TheChildInheritsFiveDescriptorsAndLeadsItsGroup) {
  const Descriptor leak{::open("/dev/null", O_RDONLY)};  // without O_CLOEXEC, on purpose
  begin("instance w1 descriptors");
  EXPECT_LE(event(Kind::ended).death.code, 5);
  workers_.reset();
  events_.clear();
  begin("instance w1 group");
  EXPECT_EQ(event(Kind::ended).death.code, 11);
}

TEST_F(ChildWorkersTest, AProgramThatCannotRunIsAnErrorOfStart) {
  ChildWorkers workers(broker_, clock_, {.program = "/nonexistent"});
  EXPECT_EQ(workers.start().error().code, ErrorCode::unavailable);
  EXPECT_TRUE(workers.stop());
}

TEST_F(ChildWorkersTest, StoppingAtAnyMomentEnds) {
  for (int round = 0; round < 50; ++round) {
    begin(round % 2 == 0 ? "instance w1 drain 1 exit 0" : "instance w1 exit 1");
    if (round % 3 == 0) event(Kind::started, 1);
    workers_.reset();
  }
}

TEST_F(ChildWorkersTest, TheChildDiesWithItsParent) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t parent = ::fork();
  ASSERT_GE(parent, 0);
  if (parent == 0) {
    begin("instance w1 hang");
    wait_until_attached();
    const pid_t child = workers_->state().pid;
    (void)!::write(ends[1], &child, sizeof child);
    ::kill(::getpid(), SIGKILL);
  }
  pid_t child = 0;
  ASSERT_EQ(::read(ends[0], &child, sizeof child), static_cast<ssize_t>(sizeof child));
  ::waitpid(parent, nullptr, 0);
  const Descriptor watched{static_cast<int>(::syscall(SYS_pidfd_open, child, 0))};
  pollfd ended{watched.get(), POLLIN, 0};
  EXPECT_TRUE(!watched || ::poll(&ended, 1, 5000) == 1);
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace
}  // namespace millrace::supervise
