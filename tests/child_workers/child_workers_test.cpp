#include "supervise/child_workers.hpp"

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <signal.h>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <millrace/client.hpp>
#include <millrace/codec.hpp>

#include "connect/connection.hpp"
#include "engine/engine.hpp"
#include "internal_worker.hpp"
#include "net/http_server.hpp"
#include "server/gateway.hpp"
#include "supervise/forwarding_broker.hpp"

namespace millrace {
namespace {

using namespace std::chrono_literals;
using supervise::ChildEvent;
using testing::HasSubstr;

/// The broker as the gateway of the child sees it. The child's drain begins with the end of its waiting.
class InsideBroker final : public supervise::ForwardingBroker {
 public:
  using ForwardingBroker::ForwardingBroker;
  void stop_waiting(const std::string& instance) override {
    ForwardingBroker::stop_waiting(instance);
    ++waits_stopped;
    waits_stopped.notify_all();
  }
  void work(WorkRequest request, Completion<WorkReply> done) override {
    request.worker.inside_server = true;
    ForwardingBroker::work(std::move(request), std::move(done));
  }
  std::atomic<int> waits_stopped{0};
};

/// Engine in memory, gateway on a private socket, and the child that works over it. The command `sh` lets a task reach
/// its own worker: `$PPID` is the child.
class ChildWorkers : public testing::Test {
 protected:
  ChildWorkers() {
    std::string name = (std::filesystem::temp_directory_path() / "millrace-child-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    http::HttpServerOptions http;
    http.listen = {"unix:" + folder_ + "/worker.sock"};
    http.body_bytes_max = gateway_.body_bytes_max();
    server_ = std::make_unique<http::HttpServer>(http, gateway_.handler());
    server_->start().value();
  }
  ~ChildWorkers() override {
    if (workers_) workers_->stop();
    engine_->drain();
    server_->stop();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  void begin(std::uint32_t slots, supervise::ChildWorkersOptions options = {.drain_grace = 10s}) {
    app::InternalWorkerSettings settings;
    settings.broker = "unix:" + folder_ + "/worker.sock";
    settings.slots = slots;
    settings.grace = grace_;
    settings.tasks.files_dir = folder_ + "/files";
    settings.tasks.outbox_dir = folder_ + "/outbox";
    settings.tasks.exec_commands = {"sh=/bin/sh -c ..."};
    options.program = MILLRACE_TEST_CHILD;
    options.arguments = {};
    options.settings = encode(settings);
    options.slots = slots;
    options.restart_min = 10ms;
    options.restart_max = 10ms;
    options.on_event = [this](const ChildEvent& event) {
      if (event.kind == ChildEvent::Kind::ended) ++deaths_;
    };
    workers_ = std::make_unique<supervise::ChildWorkers>(engine_, clock_, options);
    workers_->start().value();
  }

  TaskHandle<Json> submit(const char* type, const char* payload, EnqueueOptions options = {}) {
    return client_.enqueue(TaskType(type), Json::parse(payload).value(), std::move(options));
  }
  TaskHandle<Json> shell(const std::string& script, EnqueueOptions options = {}) {
    return client_.enqueue(TaskType("exec"), Json::object({{"command", "sh"}, {"args", Json::array({script})}}),
                           std::move(options));
  }
  static TaskRecord ended(const TaskHandle<Json>& task) {
    ignore(task.try_wait(60s), "the record says more");
    return task.get();
  }

  std::string folder_;
  Milliseconds grace_{3000};
  SystemClock clock_;
  std::shared_ptr<engine::Engine> engine_ = engine::open_memory_engine({});
  InsideBroker inside_{engine_};
  server::Gateway gateway_{inside_, clock_};
  std::unique_ptr<http::HttpServer> server_;
  Client client_{handle_of(engine_)};
  std::atomic<int> deaths_{0};
  std::unique_ptr<supervise::ChildWorkers> workers_;
};

TEST_F(ChildWorkers, TasksRunInAnotherProcess) {
  begin(4);
  EXPECT_EQ(submit("echo", R"({"a":1})").wait(20s).dump(), R"({"a":1})");
  const auto parent = shell("echo $PPID").wait(20s)["stdout"].as_string();
  EXPECT_EQ(parent, std::to_string(workers_->state().pid) + "\n");
  EXPECT_NE(workers_->state().pid, ::getpid());
}

TEST_F(ChildWorkers, ACulpritIsCondemnedAfterThreeCrashesAndItsSevenNeighboursSucceed) {
  begin(8);
  const auto culprit = shell("sleep 0.2; kill -SEGV $PPID; sleep 10");
  std::vector<TaskHandle<Json>> neighbours;
  for (int i = 0; i < 7; ++i) neighbours.push_back(submit("sleep", R"({"seconds":0.6})"));
  for (const auto& neighbour : neighbours) EXPECT_EQ(ended(neighbour).status, Status::completed);
  const auto record = ended(culprit);
  EXPECT_EQ(record.status, Status::failed);
  EXPECT_EQ(record.crashes, 3u);
  ASSERT_TRUE(record.error);
  EXPECT_EQ(record.error->type, "poison");
  EXPECT_EQ(record.attempts.back().outcome, Outcome::crashed);
  EXPECT_THAT(record.attempts.back().error.message, HasSubstr("SIGSEGV"));
  EXPECT_EQ(deaths_, 3);
}

TEST_F(ChildWorkers, ADeathIsReportedAtOnceAndNotWhenTheLeaseEnds) {
  begin(2);
  const auto task = shell("kill -KILL $PPID; sleep 10");
  const auto began = clock_.steady_now();
  TaskRecord record;
  do {
    record = task.get();
    std::this_thread::yield();
  } while (record.crashes == 0 && clock_.steady_now() - began < 20s);
  EXPECT_EQ(record.crashes, 1u);
  EXPECT_LT(clock_.steady_now() - began, 20s) << "a lease lasts 30 s";
}

TEST_F(ChildWorkers, AProcessThatHangsIsReplacedAndOnlyTheCulpritTimesOut) {
  begin(2, {.hang_grace = 300ms});
  EnqueueOptions once;
  once.timeout = 1500ms;  // long enough to stop the child
  once.max_retries = 0;
  const auto neighbour = submit("sleep", R"({"seconds":3})");
  while (neighbour.status() != Status::processing) std::this_thread::yield();
  const auto culprit = shell("kill -STOP $PPID; sleep 10", once);  // the whole child stands still
  const auto record = ended(culprit);
  EXPECT_EQ(record.status, Status::failed);
  EXPECT_EQ(record.attempts.back().outcome, Outcome::timed_out);
  EXPECT_EQ(ended(neighbour).status, Status::completed);
  EXPECT_EQ(neighbour.get().crashes, 0u);
  EXPECT_EQ(neighbour.get().retry_count, 0u);
  EXPECT_EQ(deaths_, 1);
}

TEST_F(ChildWorkers, ADrainLetsRunningAttemptsFinishAndHandsTheRestBack) {
  grace_ = 60s;
  begin(1, {.drain_grace = 60s});
  const auto running = shell("until [ -e " + folder_ + "/end ]; do sleep 0.02; done");
  while (workers_->state().running == 0) std::this_thread::yield();
  const auto waiting = submit("echo", "{}");
  const int before = inside_.waits_stopped;
  workers_->request_stop();
  inside_.waits_stopped.wait(before);
  std::ofstream(folder_ + "/end").flush();
  EXPECT_TRUE(workers_->wait());
  EXPECT_EQ(running.status(), Status::completed);
  EXPECT_EQ(waiting.status(), Status::queued);
  EXPECT_EQ(waiting.get().retry_count, 0u);
}

TEST_F(ChildWorkers, AnIdleChildEndsAtOnce) {
  grace_ = 60s;
  begin(4, {.drain_grace = 60s});
  submit("echo", "{}").wait(20s);
  const auto began = clock_.steady_now();
  EXPECT_TRUE(workers_->stop());
  EXPECT_LT(clock_.steady_now() - began, 15s) << "its grace is 60 s, its poll waits 25 s";
}

TEST_F(ChildWorkers, ManyTasksPassThroughTheTable) {
  begin(8);
  std::vector<TaskSpec> specs(5000);
  for (auto& spec : specs) spec.task_type = "echo";
  std::vector<TaskHandle<Json>> tasks;
  auto submissions = client_.submit(specs).value();
  for (auto& submitted : submissions) tasks.push_back(client_.task(submitted.value().task_id));
  for (const auto& task : tasks) ASSERT_TRUE(task.try_wait(60s));
  while (workers_->state().leases != 0) std::this_thread::yield();
  EXPECT_EQ(deaths_, 0);
}

}  // namespace
}  // namespace millrace
